"""What customers ask who resemble a harvest and work on what is their own: their tickets, tables, games, lessons."""

from governance.demo.grammar import Grammar
from governance.demo.wording.documents import DOCUMENTS
from governance.demo.wording.support import SUPPORT
from governance.demo.wording.words import WORDS

OWN_MATERIAL = Grammar(
    {
        "judge_system": """
            Quality check of the {company} help desk. You see a ticket and what our assistant answered. {criteria} \
                Return {verdict_form}.
            You review replies that our bot gave to customers of {company}. {criteria} Say {verdict_form}.
        """,
        "criteria": """
            Check the order number, the promise made and the tone. | Did it follow the refund rule of {euros}?
            Was the customer handed over when they asked twice? | Flag wrong opening hours and invented policies.
        """,
        "verdict_form": """
            pass or fail and one sentence | a mark from 1 to 5 with the reason | ok, tone, or wrong, and the line
        """,
        "ticket": """
            Ticket {order}⏎Customer: {opening}⏎Assistant: {reply} | {order} / {weekday} {clock}⏎> {opening}⏎< \
                {reply}
        """,
        "minutes": "{meeting} {meeting} | {meeting} {mail} | {passage} {meeting}",
        "sql_system": """
            You write SQL for the reporting database of {company}. Tables: {tables}. Only SELECT; dates are in UTC; \
                money is in cents.
            {company} data desk. Dialect: PostgreSQL. Schema: {tables}. Answer with one query and no text.
        """,
        "tables": """
            {table}(id, {field_name}, {field_name}, created_at), {table}(id, {field_name}, {field_name}), \
                {table}(id, {field_name}, city)
        """,
        "table": "orders | customers | shipments | visits | invoices | returns | staff | stores | contracts | stock",
        "field_name": """
            amount | status | customer_id | store_id | due_on | category | weight | channel | vat | closed_at
        """,
        "sql_ask": """
            how many {table} did we have in {city} in {month} by {field_name}? | need the top {5-50} {table} by \
                {field_name} since {day_of_month}, without the ones from {department}
            my query on {table} counts {city} twice when {field_name} is empty, can you fix it? it joins {table} on \
                {field_name}
            same as last {weekday} but per {period} and only {table} above {euros} please
            {department} wants {table} without {table} older than {2-90} days, sorted by {field_name}
        """,
        "faq": """
            From this page of our handbook make {2-5} questions that staff ask and the answers, for our \
                search:⏎⏎{passage}
            Our help page:⏎{passage} {passage}⏎⏎Write the {2-4} questions customers would type to find it.
        """,
        "npc_system": """
            You write lines for {hero}, {npc} in our game "{game}". Setting: {setting}. {npc_rule}
            Dialogue writer for "{game}" ({setting}). Stay in the voice of {hero}, {npc}. {npc_rule}
        """,
        "hero": "{name} {surname} | old {name} | {name} of {city}",
        "npc": """
            the ferryman | a smuggler | the innkeeper | a clockmaker | the lighthouse keeper | a deserter | the cook
        """,
        "game": "The {colour} Harbour | {^month} Tides | A {colour} Winter | The Last {product}",
        "setting": """
            a port under siege | a moon colony | a village in {month} | {city} in {1700-1920} | a sunken city
        """,
        "npc_rule": """
            Lines under {12-30} words. | No modern words. | Never mention the ending. | {^name} is dead, keep it so.
        """,
        "scene": """
            the player comes back with the {colour} key but without {name}. {4-9} lines, angry first, then tired
            scene {2-90}: the player lies about {name}. three replies for {hero}, one per mood
            rework this, too modern: "{greeting} what happened with the {product}? {name} is waiting since {clock}."
            what does {hero} say when the player walks in at {clock} for the {2-9}th time?
            need barks for rain, for market day and for when {name} runs past. two each
        """,
        "lesson": """
            {year} lesson on {lesson_subject} for {weekday}, {35-90} minutes, class of {14-31}, {class_note} \
                {lesson_ask}
            I teach {lesson_subject} in {year}. last time {name} and {name} {lesson_trouble}. {lesson_ask}
        """,
        "year": "year {3-12} | group {2-9}b | evening class {1-4}",
        "lesson_subject": """
            fractions | volcanoes | the past tense in {language} | photosynthesis | maps | percentages | the moon
        """,
        "class_note": """
            three with {language} at home. | no projector. | two pupils ahead of the rest. | right after lunch.
        """,
        "lesson_trouble": "finished in ten minutes | mixed up the units | got bored | copied from each other",
        "lesson_ask": """
            can you give me a starter of {5-12} minutes and one worksheet? | I need {4-10} exercises, easy ones first
            how do I explain it without the book? | what could go wrong and what then?
        """,
        "public_template": """
            Act as an experienced editor. Improve the following text without changing its meaning, list what you \
                changed, and keep the author's voice.⏎⏎Text: OWN
            I want you to act as a meeting assistant. Summarise what follows in five bullet points, then list action \
                items with owners.⏎⏎OWN
            Act as a customer service trainer. Read the message and write a reply that is polite, short and solves \
                the problem.⏎⏎Message: OWN
        """,
        "own_text": "{mail} | {review} | {opening} | {meeting} | {manual_line} {manual_line}",
        "workshop_ask": """
            Exercise {1-9} of the course: improve this text of your own in three rounds and say what changed. \
                My text: {review}
            Course task {1-9}: write to a supplier about a delay. My notes: {mail}
            Round {1-3}. My product is a {quality} {product} for {audience}. Write the card for the shelf.
        """,
        "summary_system": """
            Summarise documents of {company} for {department} in at most {3-9} sentences. Keep names, dates and \
                amounts. \
                {summary_rule}
            {company}, {department}: short version of what follows, {summary_rule}
        """,
        "summary_rule": "Open points last. | No opinions. | Write {language}-style dates. | Leave out greetings.",
    },
    WORDS,
    DOCUMENTS,
    SUPPORT,
)
