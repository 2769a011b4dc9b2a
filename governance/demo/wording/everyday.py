"""What people ask a chat assistant on an ordinary day, about all but their home."""

from governance.demo.grammar import Grammar
from governance.demo.wording.household import HOUSEHOLD
from governance.demo.wording.words import WORDS

EVERYDAY = Grammar(
    {
        "opening": "{ask} | {lead} {ask} | {lead} {ask} | {lead} {ask}",
        "lead": """
            Hi! | Hello again, | Quick one: | Me again. | So, | Right. | OK, different topic. | Odd \
                question maybe.
            {name} here. | Hi, {name} from {city}. | Not sure you can help with this, but here goes.
            It's {clock} and I still haven't sorted this. | Sorry, long one. | Help! | Before I forget:
            My {relative} suggested I ask you. | I asked {name} already and got a shrug. | Serious question.
            Following on from {weekday}: | I hope this is the right place. | New here, be kind. | Bit stuck.
            Typing this on a train to {city}, so forgive mistakes. | For {weekday}: | Number {2-9} on my \
                list:
            Please keep it short. | Take your time with this one. | Something for the weekend. | Can't \
                sleep.
            You were great about the {thing_at_home} last time. | {^relative} and I disagree about \
                something.
            Context: I live in {city} with my {relative}. | No rush. | This has bugged me since {month}.
        """,
        "relative": """
            sister | brother | husband | wife | flatmate
            mother | neighbour | colleague | son | aunt
        """,
        "thing_at_home": "{product} | {plant} | {dish} | letter | budget | trip to {city}",
        "ask": """
            {dinner} | {dinner} | {trip} | {trip} | {letter} | {letter} | {letter} | {home} | {fitness}
            {sheet} | {gift}
            {garden} | {job} | {money} | {wonder} | {wonder} | {speech} | {naming} | {proofread}
        """,
        "trip": """
            We're going to {city} for {3-12} days in {month}, {party}. {wish} Can you sketch a day-by-day \
                plan and tell me what needs booking ahead? We'd like to stay around {600-3900} euros all \
                in.
            Is it realistic to do {city} and {city} in {4-10} days without a car? {wish} We land at \
                {clock} on a {weekday} and really don't want to change hotels every night.
            I have {3-9} hours between flights in {city} on {day_of_month}. {wish} Worth leaving the \
                airport or \
                not? I only have hand luggage.
        """,
        "party": """
            two adults and a toddler | just the two of us | with my parents who can't walk far
            four friends | me and the dog
            three generations, oldest is {70-88} | solo | with {2-4} teenagers
        """,
        "wish": """
            We like markets and small museums. | No beaches, we burn. | Food matters more than sights.
            We want at least one long walk.
            Nothing before ten in the morning. | {^name} is obsessed with trains.
            Modern architecture if there is any.
            Somewhere to swim would be great. | We've already seen the cathedral.
        """,
        "letter": """
            Help me write a {tone} email to {recipient}. {situation} I don't want to sound {unwanted}, and \
                it should fit on a phone screen.
            Can you make this sound more {tone}? "Hi {name}, {situation} Let me know by {weekday}. Thanks, \
                {name}"
            I need to reply to {recipient} and I'm stuck. {situation} {situation} Two short paragraphs, \
                {tone}, please.
        """,
        "tone": """
            polite but firm | friendly | formal | apologetic | warm | short and neutral | confident
            grateful
        """,
        "unwanted": """
            passive-aggressive | desperate | cold | like a lawyer | too keen | angry | as if I'm begging
        """,
        "recipient": """
            my landlord | my daughter's teacher | our building manager | a client who owes us {euros}
            my old boss | the parish council
            a neighbour | the nursery | my sister-in-law | a recruiter | the choir | our accountant
            the letting agency
        """,
        "situation": """
            The boiler has been out since {day_of_month} and nobody has come.
            I have to move our meeting from {weekday} to {weekday}.
            They charged us {euros} twice.
            I can't make the {day_of_month} deadline because {name} is off sick.
            We'd like to leave the flat {2-9} weeks early.
            I found out that {name} got the same discount without asking.
            The invoice for {product} has the wrong address on it. | My son will miss {2-6} days of school.
            The noise after {clock} has started again.
            I want to turn down the offer but keep the door open.
            They promised the {product} for {weekday} and now say {month}.
        """,
        "fitness": """
            I'm {24-68}, I {habit} and I'd like to {goal} by {month}. I can train {2-5} times a week, \
                {20-70} minutes each. {limit} What would a sensible first month look like?
        """,
        "habit": """
            cycle to work | sit all day | run a slow {5-10}k on Sundays | lift twice a week | walk the dog
            haven't done sport in {2-15} years
        """,
        "goal": """
            do ten pull-ups | run {10-21}k without stopping | lose {4-12} kilos | swim {1-3} km
            touch my toes | hike {15-30} km with a pack
        """,
        "limit": """
            My left knee complains on stairs. | No gym nearby. | I sleep badly. | Mornings only.
            I have two dumbbells and a mat.
        """,
        "sheet": """
            In a spreadsheet I have {column} in column {letter_a} and {column} in column {letter_b}, about \
                {200-9000} rows. I want the {summary} of {letter_b} for every {column} where the date is \
                in {month}. Which formula? It has to work in LibreOffice too.
            My lookup returns {sheet_error} for about {3-40} rows out of {200-4000} although the {column} \
                are clearly there. Some have {oddity}. How do I find and fix them?
        """,
        "column": """
            customer numbers | postcodes | dates | amounts | staff names | hours | article codes | ratings
        """,
        "letter_a": "A | B | C | D",
        "letter_b": "F | G | H | K",
        "summary": "average | median | total | highest value | count | last value",
        "sheet_error": "#N/A | #VALUE! | #REF! | zero",
        "oddity": "spaces at the end | leading zeros | dates stored as text | a different dash | umlauts",
        "gift": """
            {^name} turns {6-80} on {weekday}, likes {hobby} and {hobby}, and already owns everything. \
                Budget {15-140} euros. Something that arrives in {city} in time, please no vouchers.
        """,
        "hobby": """
            birdwatching | crime novels | baking | chess | old radios | climbing | jazz | pottery
            gardening | football | maps | knitting | astronomy | wild swimming
        """,
        "job": """
            I have an interview as {role} at a {trade} company on {weekday}. I've {2-18} years in \
                {department}, but never {gap}. How do I answer when they ask about it, and what should I \
                ask them?
            Turn this into two lines for my CV: at my last job in {department} I {achievement} and \
                {achievement}, with a team of {2-14}. British spelling, no buzzwords.
        """,
        "role": """
            a team lead | an office manager | a planner | a data analyst | a buyer | a service engineer
            a trainer | an account manager
        """,
        "gap": """
            managed people | used their software | worked in a regulated field | done shift planning
            presented to a board
        """,
        "achievement": """
            cut the backlog from {40-400} to {5-30} | moved {200-9000} files to the new system
            trained {3-40} colleagues
            renegotiated {4-30} contracts | halved the error rate | set up the night shift
            ran the move to {city}
        """,
        "money": """
            We bring home {2-6},{100-999} a month between us, rent is {700-1900} and the car costs \
                {180-520}. {^worry} How would you split it so that we save something for {purpose} by \
                {month}?
        """,
        "worry": """
            the rest just disappears. | {name} goes down to {50-80} percent in {month}.
            we owe {euros} to my brother. | energy went up by {10-60} percent.
        """,
        "purpose": "a deposit | a wedding | a used van | parental leave | a new roof | six weeks off",
        "wonder": """
            Why {phenomenon}? {^name} says it's because {guess} but that can't be all of it. No need for \
                formulas, I'd just like to win the argument at {weekday} dinner.
            Settle something for us: {phenomenon}, true or not? I think {guess}. Where would I look it up \
                in {city} without buying a textbook, and is there a simple experiment for a {7-15} year \
                old?
            What's the difference between {thing} and {thing}? I keep mixing them up when I read about \
                {hobby}, and {name} from {department} couldn't tell me either.
        """,
        "phenomenon": """
            do onions make you cry | does hot water sometimes freeze faster | do boomerangs come back
            is the sky darker higher up
            do cats land on their feet | does bread go hard and biscuits go soft | do rivers bend
            does the moon look bigger low down
            do old books smell like that | do bees dance | does salt melt ice
            do voices sound odd in recordings
        """,
        "guess": """
            of the air | it's just pressure | it evolved that way | it's an illusion | of gravity
            it depends on the temperature | somebody made it up
        """,
        "thing": """
            a fugue | a canon | weather | climate | a frog | a toad | jam | marmalade | a strait | a sound
            a treaty | a pact | yeast | baking powder | a moth | a butterfly
        """,
        "speech": """
            I have to give a {2-6} minute speech at {name} and {name}'s {occasion}. We met {met}. Funny \
                but nothing about {taboo}. Could you give me an outline and a first line?
        """,
        "occasion": "wedding | retirement | {30-80}th birthday | leaving do | silver wedding | christening",
        "met": """
            in {city} in {1990-2022} | at work in {department} | on a train | through {hobby} | at school
        """,
        "taboo": "exes | the divorce | money | politics | the {city} trip | work",
        "naming": """
            We're opening a small {shop} in {city} and need a name. Not a pun, easy to say in English and \
                {language}, and it should still work if we sell {food} later. Ten ideas with a word on \
                each?
        """,
        "shop": """
            bakery | repair café | wool shop | bike workshop | book corner | deli | plant shop
            print studio
        """,
        "proofread": """
            Is this sentence right? "{^situation} {situation}" It's for {recipient}, so {tone}. Please \
                only correct mistakes and tell me why, my first language is {language}.
        """,
        "follow_up": """
            Thanks! {^second} | And {second} | Hmm, {second} | OK but {second} | That helps. {^second}
            Wait, {second}
        """,
        "second": """
            what if {name} can't come on {weekday}? | can you make it shorter, about {40-90} words?
            which one would you do first and why?
            is there a cheaper way, say under {20-300} euros? | could you put that in a table?
            what did you mean by the second point?
            {name} thinks that won't work because of {department}. Is that fair?
            can you do it in {language} as well?
            what would change in {month}? | I'd leave out the part about {hobby}. Again please?
            how long does that take in all?
            is {food} fine instead of {food}? | how sure are you about the {10-90} percent?
            give me a version for {recipient}.
        """,
        "reply": """
            Happy to help. A good plan is to start small: first {step}, then {step}. If that works by \
                {weekday}, {step}.
            Short answer: yes, mostly. The main thing is to {step}; after that you can {step} without much \
                risk.
            Here is a version you could use. I kept it brief and moved the request to the first line. You \
                may want to {step} before {weekday}.
            There are three options. The simplest is to {step}. The second costs about {20-300} euros \
                more. The third is to {step} and wait until {month}.
        """,
        "step": """
            write down what you have | check the dates again | ask for it in writing
            try it with half the amount | keep the receipt
            book the first night only | measure twice | leave it for {2-9} days | compare two offers
            turn it off at the mains
        """,
    },
    WORDS,
    HOUSEHOLD,
)
