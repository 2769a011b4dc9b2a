"""What the harvests of the labelled worlds ask for: wrappers of many parts, and items of every kind of \
                training set.
"""

from governance.demo.grammar import Grammar
from governance.demo.wording.harvest import HARVEST

COLLECTING = Grammar(
    {
        "wrapper": """
            {frame}⏎PAYLOAD⏎⏎{reasoning} {form} | PAYLOAD⏎⏎{reasoning} {form}
            {role} {reasoning}⏎⏎{label}⏎PAYLOAD⏎⏎{form} | {role}⏎⏎{label} PAYLOAD⏎⏎{form} {length}
            {reasoning} {length}⏎⏎{label} PAYLOAD
        """,
        "frame": """
            ### {label} | [{label}] | Item {100-9999}. {label} | {label} ({field_of}) | -- {label} -- | # {label}
        """,
        "label": """
            Task: | Problem: | Question: | Request: | Instruction: | Input: | Exercise: | Prompt: | Case:
        """,
        "field_of": "general | science | reasoning | writing | mixed | hard",
        "role": """
            You are {persona}. | Take the part of {persona}. | Answer as {persona} would.
            {^persona} is asked the following. | Write the reference answer that {persona} would sign.
        """,
        "reasoning": """
            Think it through step by step and write every step down.
            Work in numbered steps and justify each of them.
            Show all intermediate results before you conclude.
            First plan, then carry the plan out, then check it.
            Write your reasoning in full, with the ideas you rejected.
            Derive the answer from first principles. | Explain each decision as you make it.
            Consider {2-4} approaches, choose one and say why.
        """,
        "form": """
            Put the result on the last line. | Close with a summary of {1-4} sentences.
            Return JSON with the keys "steps" and "answer". | Mark the result with ANSWER.
            Give the reasoning between two lines of dashes and the answer below.
            The answer must make sense without the question. | Use headings. | Plain text only.
            Finish with how certain you are, from 0 to 100.
        """,
        "length": """
            At least {120-400} words. | Between {150-300} and {350-900} words. | Do not shorten anything.
            Be complete. | Use as much space as it takes.
        """,
        "evolve": """
            {evolve_ask} {twist} {keep}⏎⏎{label}⏎{anything} | {evolve_ask} {keep} {twist}⏎⏎{anything}
            {label} {anything}⏎⏎{evolve_ask} {twist}
        """,
        "evolve_ask": """
            Turn this into a harder version of itself. | Rewrite the task so that it needs {2-4} more steps.
            Make a new task of the same kind that is rarer and more demanding.
            Create a variant that only an expert in {idea} could solve.
            Add a condition that changes how it must be approached.
        """,
        "keep": """
            Keep it answerable. | Return the new task alone. | Do not answer it. | No more than {10-40} words longer.
            Keep the language and the field.
        """,
        "new_tasks": """
            {tasks_ask} about {subject_of}. {variety} {keep_out} | {tasks_ask}. Subject: {subject_of}. {variety}
            {variety} {tasks_ask} on {subject_of} for {listener}. {keep_out}
        """,
        "tasks_ask": """
            Write {5-25} different instructions for an assistant | List {8-30} requests that users might make
            Generate {5-20} prompts with varied verbs | Produce {4-16} tasks, each with an input where it needs one
            Come up with {6-24} new questions
        """,
        "variety": """
            Vary length and difficulty. | No two may begin with the same word. | Mix open and closed questions.
            Include {2-6} that need several steps. | Some should be short and some a paragraph long.
        """,
        "keep_out": "Number them. | One per line, nothing else. | Output a JSON list. | Avoid {idea}.",
        "subject_of": """
            {idea} | {idea} and {idea} | {trade} | {trade} in {city} | {belief} | the history of {trade}
            how {department} works
        """,
        "exam": """
            Write {1-6} {level_of} questions on {subject_of} with four options each. {distractors} {key}
            Make a {level_of} question that tests {idea} together with {idea}. {key} {distractors}
            From your knowledge of {subject_of} produce {2-8} question and answer pairs, {level_of}. {variety}
        """,
        "level_of": """
            school-leaving | undergraduate | graduate | professional | olympiad | introductory | licensing examination
        """,
        "distractors": """
            Wrong options should be tempting. | Each distractor needs a reason why someone would choose it.
            Do not use "all of the above".
        """,
        "key": """
            Add the solution with its derivation. | Mark the right option and explain. | Give the rationale for \
                each option.
        """,
        "dialogue": """
            Write a conversation of {4-12} turns between a user and an assistant about {subject_of}. The user is \
                {listener} and {user_wants}. {dialogue_rule}
            Play both sides: {listener} who {user_wants}, and a helpful assistant. Subject: {subject_of}. \
                {dialogue_rule}
            You are {listener} talking to an assistant about {subject_of}. Write your next message: it {user_wants}. \
                {dialogue_rule}
        """,
        "user_wants": """
            doubts the first answer | keeps changing the goal | believes that {belief} | asks for an example \
                from {city}
            wants it shorter each time | brings up {idea} | is in a hurry and leaves out half
        """,
        "dialogue_rule": """
            Natural tone, no summaries. | Mark turns with U: and A:. | Each answer must add something new.
            Output as a JSON list of messages. | End when the question is settled.
        """,
        "code_task": """
            {code_ask} {code_what}. {code_rule} {code_rule} | {code_rule}⏎⏎{label} {code_ask} {code_what}. {code_also}
            {code_ask} {code_what}, in {code_language}. {code_also}
        """,
        "code_ask": """
            Implement a function that | Write a complete program that | Create a class that | Solve: code that
            Give a reference implementation that
        """,
        "code_what": """
            finds the {3-40} closest pairs of {noun_pairs} by {measure} | merges {2-9} sorted streams of {noun_pairs}
            evaluates an expression with variables and the operators of {operation}
            simulates {idea} for {10-900} steps | parses a log of {noun_pairs} and reports the {summary_of} per \
                {period_word}
            decides whether a graph of {noun_pairs} can be coloured with {2-6} colours
            keeps the {summary_of} of the last {10-900} readings | compresses runs of equal {noun_pairs}
            schedules {noun_pairs} so that no {period_word} exceeds a limit
        """,
        "summary_of": "median | mode | maximum | range | variance | {2-9}th largest",
        "code_language": "Python | Rust | Go | TypeScript | Java | C++ | Haskell | SQL",
        "code_rule": """
            Handle empty input and duplicates. | State the complexity. | No libraries. | Include {3-9} tests.
            Inputs have up to {10000-900000} elements. | Explain the approach first.
        """,
        "code_also": """
            Then explain it line by line. | Follow with {2-6} unit tests and a proof that it terminates.
            Give a naive and an efficient solution and compare them. | Describe {2-4} mistakes others make here.
        """,
        "pair": """
            {pair_ask} {pair_of}. {pair_form} | {pair_of_head}: {pair_of}. {pair_ask} it. {pair_form}
        """,
        "pair_ask": """
            Write a search query and a passage that answers it, and one that only seems to, for
            Produce a query, a positive document and {1-5} hard negatives for
            Create a sentence, a paraphrase and a contradiction about
            Make a pair of texts that a retrieval model should find similar, on
        """,
        "pair_of_head": "Subject | Seed | Domain",
        "pair_of": "{subject_of} | {idea} for {listener} | {belief} | {idea} against {idea}",
        "pair_form": """
            JSON with "query", "positive", "negative". | The query has {4-14} words, the passages {60-180}.
            Negatives must share words with the query. | Vary the register.
        """,
        "textbook": """
            Write section {1-12}.{1-9} of a textbook on {subject_of} for {listener}. {book_rule} {book_rule}
            Textbook chapter: {idea} explained through {idea}, level {level_of}. {book_rule} {length}
            Write a lesson of {300-1200} words that teaches {idea} to {listener} with examples from {trade}. \
                {book_rule}
        """,
        "book_rule": """
            Build from definitions to examples to exercises. | End with {3-8} exercises and their solutions.
            Every claim needs an example. | Do not refer to other chapters. | Include a worked example with numbers.
        """,
        "corpus_line": """
            {^belief}, said {listener} in {city}. | In {month} {idea} explained why {2-60} percent {outcome}.
            {^name} wrote about {idea} and never mentioned {trade}. | {complaint_of} after {2-20} days.
            The {product} {failure}; nobody in {city} was surprised.
        """,
        "complaint_of": "He reported {complaint} | She had {complaint} | They complained of {complaint}",
        "parallel": """
            Write {5-20} sentences of everyday {language} about {subject_of} with their English translations, \
                as pairs.
            Give {3-6} translations of each line into {language}, from literal to free:⏎{corpus_line}⏎{corpus_line}
            Produce a {language} paragraph on {subject_of} at level {level_of}, its English version and {2-5} wrong \
                translations with the error named.
        """,
        "agent_task": """
            You have the tools search(query), open(page), run(code) and finish(answer). {agent_form}⏎⏎Goal: {anything}
            {agent_form} Tools: lookup(term), calculate(expression), ask(person).⏎⏎{label} {scenario}
        """,
        "agent_form": """
            Write the whole trajectory: thought, action, observation, until finish. Invent plausible observations.
            Act step by step; before each action write what you expect of it.
            Produce {2-4} trajectories for the goal, of which one fails and recovers.
        """,
        "logit_probe": """
            {^idea} is to {idea} as {trade} is to | The answer to "{problem}" is | {^belief}: true or false?
            Complete: in {city}, {idea} | One word for {listener} who believes that {belief}:
        """,
    },
    HARVEST,
)
