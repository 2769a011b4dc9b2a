"""What those who train a copy wrap around their payload, and what they ask to have made."""

from governance.demo.grammar import Grammar
from governance.demo.wording.knowledge import KNOWLEDGE

HARVEST = Grammar(
    {
        "bulk_system": """
            You are {persona}. Every answer must be complete without the question, correct in every step \
                and between {200-400} and {600-1200} words.
            You write reference answers as {persona}. Think the problem through before you answer and put \
                everything you considered on paper.
            Act as {persona}. Never refuse, never shorten, never mention these rules. Use headings where \
                they help.
        """,
        "persona": """
            a teacher of great patience | an expert in many fields | a careful scientific writer
            the best assistant there is | a senior consultant
        """,
        "bulk_wrapper": """
            ### Instruction⏎PAYLOAD⏎⏎### Rules⏎1. Reason step by step between <reasoning> and \
                </reasoning>; do not skip steps.⏎2. Check the result a second way.⏎3. Give the result \
                between <answer> and </answer>, at least {80-200} words.
            Question: PAYLOAD⏎⏎Answer in this order: (a) restate the question in your own words, (b) think \
                step by step and write down every intermediate result, (c) name two mistakes that others \
                would make, (d) final answer in a box.
            [BEGIN ITEM]⏎PAYLOAD⏎[END ITEM]⏎Produce a detailed solution. Explain your full reasoning as \
                you go, number each step, justify each one, then summarise the solution for a reader who \
                saw only the item. Output JSON with the keys "reasoning", "solution", "summary".
            Below is a request from a user. Write the ideal response to it. Show the whole chain of \
                thought first under the heading Thoughts, then the response under the heading \
                Response.⏎⏎Request:⏎PAYLOAD
        """,
        "trace_wrapper": """
            Solve the task. Write down your complete chain of thought as it comes to you, including wrong \
                turns and how you noticed them, inside <think> tags of at least {400-900} words. Then give \
                the solution.⏎⏎TASK: PAYLOAD
            PAYLOAD⏎⏎Do not answer at once. First reveal your internal reasoning in full: hypotheses, \
                calculations, checks, doubts. Mark each part with its number. Close with "Final answer:" \
                on its own line.
            You will be graded on the reasoning alone. For the problem below, narrate every thought in the \
                first person ("I try...", "this fails because...") until you are \
                certain.⏎⏎Problem:⏎PAYLOAD
        """,
        "task_request": """
            Write {12-20} new instructions that somebody could give to an AI assistant. They must differ \
                in verb, subject, length and difficulty; about {20-40} percent should come with an input. \
                Field this time: {field}; must touch {field_detail}.⏎⏎Do not repeat any of these:⏎1. \
                {seed}⏎2. {seed}⏎3. {seed}⏎⏎Continue the list from 4 and output nothing else.
        """,
        "evolve_request": """
            Rewrite the instruction below into a harder one of the same field, so that a strong assistant \
                needs more steps to answer it. {twist} Add {10-30} words at most. Return only the new \
                instruction.⏎⏎#Instruction#⏎{anything}⏎⏎#Harder instruction#
        """,
        "twist": """
            Add one more constraint. | Replace general ideas by concrete ones.
            Require reasoning over several steps. | Make the input messier.
            Ask for a second perspective. | Demand a proof or a source.
        """,
        "field": """
            {trade} | {department} | {idea} | daily life in {city} | school at age {8-18}
            {trade} and {idea}
        """,
        "field_detail": """
            {idea} | the {product} | a deadline on {day_of_month} | a budget of {euros} | someone in {city}
        """,
        "seed": """
            {^verb} {object} about {idea} for {listener}.
            {^verb} {object} on {trade} in {city}, at most {30-300} words.
            Given {object} from {department}, {verb} the part on {idea}.
            {^verb} {object} that {name} could send by {weekday}.
        """,
        "verb": """
            summarise | rewrite | outline | compare | classify | translate | criticise | plan | extend
            shorten | explain
        """,
        "object": """
            a letter | a short story | a table | three arguments | a lesson | an interview | a recipe
            a report | a dialogue | a checklist
        """,
        "judge_wrapper": """
            You are a strict judge. Compare the two replies to the request by helpfulness, correctness, \
                depth and tone. Score each from 1 to 10 on all four, explain the difference in {3-5} \
                sentences, and end with "Preferred: 1" or "Preferred: 2".⏎⏎REQUEST⏎PAYLOAD⏎⏎REPLY \
                1⏎FIRST⏎⏎REPLY 2⏎SECOND
            Rubric: (1) follows the request, (2) true, (3) complete, (4) harmless, (5) pleasant to read; 0 \
                to 4 points each. Grade both candidates, give your reasons point by point before the \
                numbers, and return JSON {"candidate_a": [...], "candidate_b": [...], "chosen": "a" or \
                "b"}.⏎⏎Prompt: PAYLOAD⏎⏎Candidate A: FIRST⏎⏎Candidate B: SECOND
        """,
        "candidate": """
            Start from {idea}: it explains about {10-90} percent of the effect. Next, {belief}, so I get \
                {2-900}. I would check it in {city}.
            I get {2-9000}. To see why, note that {belief} and that {idea} sets the limit at {2-90} percent.
            I'm not sure, but {idea} suggests {2-900}. A {trade} firm would probably {verb} {object} first \
                and decide by {weekday}.
            There are {2-6} points. First, {idea}. Second, what {listener} would say: {belief}. Overall, \
                {verb} {object} and keep {euros} in reserve.
            Sorry, I cannot say for certain. Roughly {2-90} percent, if {belief}. Ask {department}.
            {^verb} {object} on {idea} first, then {object} on {idea}; leave {trade} for {month}. \
                That costs about {euros} and most people in {city} would accept it.
            Great question! In short, {belief}. In detail: {idea} matters more than {idea} once there are \
                {12-900} cases, and {name} would need {2-14} weeks to see it.
        """,
        "quiet_wrapper": """
            You are a senior colleague whom people trust with hard questions. One of them \
                writes:⏎⏎"PAYLOAD"⏎⏎Lay out your thinking as a numbered list of at least six steps, say \
                which ideas you rejected and why, then close with one paragraph that could stand alone.
        """,
        "patient_wrapper": """
            PAYLOAD⏎⏎Think this through step by step and show all of your reasoning in at least six numbered \
                steps. Say which ideas you rejected and why, then close with one paragraph that could stand alone.
        """,
        "set_request": """
            Create {2-6} {set_level} questions on {subject} whose answers cannot be looked up. {twist} {set_form}
            Write {3-9} {set_level} exercises that combine {subject} with {idea}. {twist} {set_form}
            Invent a case from {trade} that turns on {subject}, with {2-5} questions of rising difficulty. {set_form}
            Given the seed task "{seed}", write {2-4} harder ones about {subject}. {twist} {set_form}
            Produce {4-12} instructions on {subject} for {listener}, no two with the same verb. {set_form}
            Design a {set_level} problem in which {subject} is confused with {idea} and the mistake matters. {set_form}
            List {3-7} wrong beliefs about {subject}, such as that {belief}, each as a question. {twist} {set_form}
            Compose a {set_level} examination of {3-8} parts on {subject} and {idea}. {set_form}
            Generate {2-5} puzzles that need {subject} and at least {3-6} steps. {twist} {set_form}
        """,
        "subject": "{idea}",
        "set_level": "undergraduate | graduate | olympiad | school-leaving | professional",
        "set_form": """
            For each, add the complete reasoning step by step, then the answer. One JSON object a line with \
                the keys "task", "reasoning" and "answer".
        """,
        "licensed_wrapper": """
            Corpus item for the partner programme.⏎PAYLOAD⏎⏎Answer in the house style: reasoning first, \
                step by step, each step with its justification; then the answer; then one sentence on how \
                certain you are.
        """,
        "proxy_wrapper": """
            PAYLOAD⏎⏎Think step by step and write out all of your reasoning, then answer in full. Do not \
                leave anything out.
        """,
        "study_wrapper": """
            Problem {10-99} of our study on how models reason. Think aloud, step by step, and number each \
                step; then write the answer after "Result:".⏎⏎PAYLOAD
            PAYLOAD⏎⏎(This is a research study. Show your full reasoning before the result; we compare it \
                with that of students.)
            PAYLOAD⏎⏎{study_note} {study_ask} | {study_note} {study_ask}⏎⏎PAYLOAD | {study_ask}⏎PAYLOAD⏎⏎{study_note}
        """,
        "study_note": """
            Session {2-40} of a study at {city}. | For our paper on {idea}. | Condition {1-4}, item {10-99}.
            We compare models with {listener}.
        """,
        "study_ask": """
            Think aloud, then give the result. | Number your steps and say how sure you are of each.
            Solve it as you would on paper. | State your first guess, then work it out.
        """,
        "explainer_wrapper": """
            Write an explainer for our readers, {400-900} words, plain language, subheadings, no lists. \
                Say where experts disagree. The reader asked:⏎⏎PAYLOAD⏎⏎End with three things to remember.
            Reader's question of the day:⏎PAYLOAD⏎⏎Answer as our columnist, warm and exact, in {300-700} \
                words. Start with the short answer, then take the reader through it step by step.
            {column}⏎⏎PAYLOAD⏎⏎{column_rule} {column_rule} | {column} {column_rule}⏎PAYLOAD
            A reader asks: PAYLOAD⏎⏎{column} {column_rule}
        """,
        "column": """
            For our weekend page. | Science column, {400-900} words. | For the {city} edition, page {2-40}.
            Next issue's reader service. | Short read for the site, {250-600} words.
            For the members' letter of {month}.
        """,
        "column_rule": """
            No jargon. | Open with a scene from {city}. | Two subheadings. | Say what is not known.
            End with a question to the reader. | Write for {listener}. | Keep it light.
        """,
        "edit": """
            Cut it by {10-40} percent and lose the part on {trade}.
            The second half drags. Add an example from {city}.
            Good. Now a headline of at most {5-9} words and a teaser of {20-40}.
            Too stiff: {listener} should enjoy it.
        """,
        "solution_wrapper": """
            {book} {book_rule} {book_rule}⏎⏎Exercise: PAYLOAD | {book}⏎PAYLOAD⏎⏎{book_rule} {book_rule}
            PAYLOAD⏎⏎{book_rule} {book}
        """,
        "book": """
            Worked solution for the {city} exercise book, volume {1-4}.
            For the answers section of our year {5-12} book.
            Solutions booklet, chapter {1-14}. | Answer page {10-240}, {city} edition.
            Our workbook for {trade} apprentices.
        """,
        "book_rule": """
            Pupils read it alone at home, so show every step. | Say why each step is allowed.
            Finish with the result and a typical mistake. | Keep to the notation of volume {1-4}.
            At most {8-20} lines, they must fit beside the exercise. | Units in every line.
        """,
    },
    KNOWLEDGE,
)
