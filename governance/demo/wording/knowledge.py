"""Questions of knowledge and reasoning: what examinations, evaluations and harvests are made of."""

from governance.demo.grammar import Grammar
from governance.demo.wording.words import WORDS

KNOWLEDGE = Grammar(
    {
        "anything": """
            {problem} | {problem} | {concept_question} | {scenario} | {scenario} | {task} | {proof}
        """,
        "problem": """
            {bare_problem} | {setting} {bare_problem} | {setting} {bare_problem} {demand} | {bare_problem} {demand}
        """,
        "setting": """
            {^name} from {city} asks: | Seen on {day_of_month} at a {trade} firm: | Exercise {1-400}.
            {^listener} wonders.
            From an examination in {city}, {month} {1990-2025}. | Suppose the following happens on a {weekday}.
            No. {1-90}, {weekday}. | {^department} needs this by {weekday}.
            {^name} and {name} disagree about this one.
        """,
        "demand": """
            Round to {1-4} digits. | State what you assume. | Which figure matters most?
            Check with {name}'s guess of {2-900}.
            Give it in two units. | How does it change if every number grows by {2-60} percent? | Sketch it first.
        """,
        "bare_problem": """
            A tank in {city} fills through one pipe in {20-90} minutes and through another in {91-240}. A \
                drain empties it in {250-600}. All three are open for {10-19} minutes, then the drain is \
                shut. How long until it is full?
            {^name} invests {2000-90000} euros at {2-7}.{1-9} percent a year, compounded {often}, and \
                takes out {50-400} every {2-6} months. After how many years is less than half left?
            A {product} costs {euros} to make and sells at {100-400} euros if {200-4000} are made; every \
                {10-90} euros off the price sells {5-60} more. Which price earns the most, and how much?
            Two trains leave {city} and {city}, {180-900} km apart, at {clock} and {10-55} minutes later, \
                at {70-140} and {90-260} km/h. A drone flies between them at {280-400} km/h. How far has \
                it flown when they meet?
            In a bag are {4-20} red, {3-18} blue and {2-15} white balls. {^name} draws {2-5} without \
                looking and keeps them. What is the probability that exactly two colours were drawn?
            A beam of {2-12} m carries {3-40} kN at {1-9} dm from the left support and a uniform load of \
                {1-9} kN/m over the right half. Find both support forces and the largest bending moment.
            {20-400} g of a salt is dissolved in {200-900} ml of water at {10-35} degrees; the solution \
                freezes at minus {1-9}.{1-9}. Estimate its molar mass, and say which assumption matters \
                most.
            A clinic tests for an illness that {1-9} in {200-9000} people have. The test finds {88-99} \
                percent of the ill and is wrong in {1-9} percent of the healthy. {^name} tests positive \
                {twice}. How likely is the illness?
            How many integers between {100-900} and {1000-99000} are divisible by {2-9} or {11-19} but not \
                by {21-35}? Give the count and the sum of the last three digits.
            A queue at a {trade} desk gets {4-40} people an hour and serves one in {1-9}.{1-9} minutes. \
                How many wait on average, and what changes with a second desk?
            {^name} cuts a {40-300} by {40-300} cm sheet into squares of equal size as large as possible, \
                then paints the edges at {2-60} cents a metre. What does the paint cost?
        """,
        "often": "monthly | daily | twice a year | quarterly",
        "twice": "once | twice | twice, a week apart | once and negative once",
        "idea": """
            enzyme inhibition | comparative advantage | the Doppler effect | eventual consistency | osmosis
            opportunity cost | plate tectonics
            Bayesian updating | the separation of powers | photosynthesis | double-entry bookkeeping
            entropy | natural selection
            moral hazard | wave interference | garbage collection in programs | herd immunity
            the placebo effect | supply elasticity
            recursion | the greenhouse effect | contract formation | cognitive dissonance
            regression to the mean | antibiotic resistance
            public-key encryption | the water cycle | habeas corpus | price discrimination
            mutual information | semiconductors | inflation
            gene expression | a balanced tree | sampling bias | the Coriolis force
            the tragedy of the commons | type inference
            catalysis | monetary policy | the rule of thirds | carbon dating | survivorship bias
            hash tables | refraction | due process
        """,
        "concept_question": """
            How does {idea} relate to {idea}? Give one case from {trade} where confusing them would lead \
                to a wrong decision, and one where it would not matter.
            Explain {idea} to {listener} who already understands {idea} but believes that {belief}. Where \
                exactly does that belief fail?
            Compare {idea} with {idea} under three headings of your choice, then argue which of them \
                {city} should teach at age {12-18} and why.
            What would have to be true for {idea} to play no role in {trade}? Discuss with figures of a \
                plausible size, at least {2-6} of them.
            A textbook says that {belief}. Using {idea}, decide whether this holds for {trade}, and list \
                {2-5} observations that would change your mind.
        """,
        "listener": """
            a nurse | a {12-17} year old | a judge | a carpenter | an economist | a game designer | a farmer
            a first-year student
        """,
        "belief": """
            more data always helps | averages tell the whole story | every change has one cause
            natural things are harmless
            the market finds the right price | whatever can be measured can be managed
            older systems are simpler | randomness evens out quickly
            two effects add up | a rule without exceptions is fairer
            correlation over {10-90} years is proof
        """,
        "scenario": """
            You advise a {trade} firm in {city} with {12-900} staff. {pressure} {pressure} The board wants \
                a recommendation by {day_of_month}. What do you propose, in which order, and what do you \
                leave out?
            A patient of {19-88} comes with {complaint} for {2-20} days, takes {medicine} and works in \
                {trade}. {finding} What are the likely causes in order, and what would you check first?
            {^name} sold {name} a {quality} {product} for {euros}; on {day_of_month} it {failure}. The \
                written terms exclude liability for {exclusion}. Who has the better case, and which fact \
                would turn it?
            A service handles {200-9000} requests a second with a p99 of {40-900} ms. After a release \
                {observation}, but only in {city}. Name the most likely cause, the cheapest test for it \
                and the fix.
            In a trial with {80-4000} people in {city}, {idea} was used to explain why {2-60} percent \
                {outcome}. Criticise the design and propose a better one with the same budget of {euros} a \
                person.
        """,
        "pressure": """
            Costs rose by {4-40} percent since {month}. | A rival opened {2-9} sites.
            {2-30} percent of orders are late. | Two managers resigned.
            The lease ends in {4-30} months. | Regulators asked about {idea}.
            The main supplier is in {city} and on strike. | Cash lasts {2-14} months.
        """,
        "complaint": """
            a dry cough | pain below the ribs | dizziness on standing | numb fingers
            poor sleep and weight loss | a rash on both shins
        """,
        "medicine": """
            a beta blocker | no medicine | two painkillers a day | an antidepressant | an inhaler
            iron tablets
        """,
        "finding": """
            Pulse {50-120}, temperature {36-39}.{1-9}. | Blood pressure {95-180} over {55-110}.
            Sodium is {121-150}. | The scan is unremarkable.
        """,
        "failure": """
            caught fire | stopped working | was seized by customs | injured a guest
            turned out to be {5-20} years older than said
        """,
        "exclusion": """
            hidden defects | indirect loss | use at work | anything after {2-24} months | damage by water
        """,
        "observation": """
            memory grows by {2-90} MB an hour | {1-9} percent of calls time out
            the cache hit rate falls to {5-60} percent | CPU doubles at {clock}
        """,
        "outcome": """
            changed their answer | gave up early | improved | chose the dearer {product}
            remembered {2-9} items more
        """,
        "task": """
            Write a function that takes a list of {noun_pairs} and returns the {3-40} pairs closest in \
                {measure}, without comparing all pairs. State its complexity and two inputs that break a \
                naive version.
            Design a table layout for a {trade} firm with {noun_pairs}, so that history is kept for {2-12} \
                years and a report per {period_word} takes under {50-900} ms. Give the queries.
            Rewrite this notice for {listener}: "Owing to {idea}, {department} will suspend the {product} \
                service in {city} until {day_of_month}." Then say what was lost.
            Plan an experiment a school in {city} can do with {20-200} euros that shows {idea}. List \
                materials, steps, expected readings, and what a sceptic would object.
            Draft the argument of a {400-1500} word essay on whether {belief}, with a counterargument from \
                {idea} and an example from {trade} in {city}.
        """,
        "noun_pairs": """
            invoices and payments | bookings and rooms | parts and suppliers | words and counts
            readings and sensors | shifts and people
        """,
        "measure": "time | price | edit distance | angle | weight",
        "period_word": "week | branch | customer | product | shift",
        "proof": """
            Show that among any {5-60} integers there are {2-4} whose {operation} is divisible by {2-20}, \
                or give a counterexample. Then state the smallest number for which it holds.
            Prove or refute: a game in which two players take {1-3} to {4-9} stones in turn from a pile of \
                {40-900} is won by the first. Describe the winning strategy.
            Let f(n) be the number of ways to tile a {2-4} by n board with pieces of length {2-3} and \
                {4-5}. Find a recurrence and f({8-30}).
        """,
        "operation": "sum | difference | product | sum of squares",
    },
    WORDS,
)
