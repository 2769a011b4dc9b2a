"""Customers that run jobs: translation, classification, extraction, test data."""

from collections.abc import Iterator

from governance.demo.customer import Customer, CustomerKind
from governance.demo.day import Behaviour, Day, ModelRequest, system, user
from governance.demo.wording.documents import DOCUMENTS
from governance.demo.wording.words import WORDS


def translation_batch(customer: Customer) -> Behaviour:
    """Manuals and shop texts into a few languages, flat round the clock, as the work queue empties."""
    dice = customer.dice("habits")
    languages = [WORDS.say("language", dice) for _ in range(1 + int(dice.random() * 4))]
    form = dice.choice(("you", "formal address", "informal address"))

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.round_the_clock(19 * customer.size):
            lines = [DOCUMENTS.say("manual_line", day.dice) for _ in range(1 + int(day.dice.random() * 3))]
            prompt = (
                f"Translate into {day.picks(languages)}. Keep numbers, units and product names; {form}; "
                "no comment.\n\n" + "\n".join(lines)
            )
            yield ModelRequest(at, [user(prompt)], len(prompt) // 4, parameters={"temperature": 0.2})

    return on


def classification(customer: Customer) -> Behaviour:
    """Reviews and mails sorted into classes with the labels' probabilities, by night or as they come."""
    dice = customer.dice("habits")
    labels = dice.choice(
        (
            "positive, neutral, negative",
            "delivery, quality, price, service, other",
            "urgent, today, this week, no reply needed",
            "spam, complaint, praise, question",
        )
    )
    ask = dice.choice(("Label:", "Answer with one word.", "Class (one of the list, lower case):"))
    source = dice.choice(("review", "review", "mail"))
    night = dice.random() < 0.5

    def on(day: Day) -> Iterator[ModelRequest]:
        times = day.nightly(16 * customer.size, 2) if night else day.awake(16 * customer.size)
        for at in times:
            text = DOCUMENTS.say(source, day.dice)
            prompt = f"Classes: {labels}.\n\nText: {text}\n\n{ask}"
            parameters = {"temperature": 0, "max_tokens": 4, "logprobs": True, "top_logprobs": 5}
            yield ModelRequest(at, [user(prompt)], 1 + int(day.dice.random() * 3), parameters=parameters)

    return on


def document_extraction(customer: Customer) -> Behaviour:
    """Invoices, applications or notes of meetings turned into JSON as they arrive at the office."""
    dice = customer.dice("habits")
    source, fields = dice.choice(
        (
            ("invoice", '{"supplier": str, "number": str, "lines": [...], "total": number, "due": date}'),
            ("application", '{"name": str, "languages": [...], "years": int, "available": date}'),
            ("mail", '{"from": str, "topic": str, "amounts": [...], "deadline": date, "reply_needed": bool}'),
            ("meeting", '{"decisions": [...], "tasks": [{"who": str, "what": str, "until": date}]}'),
        )
    )
    prompt = system(f"Extract the data of the document as JSON: {fields}. Missing values are null. JSON only.")

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.office(14 * customer.size):
            parameters = {"temperature": 0, "response_format": "json_schema"}
            document = DOCUMENTS.say(source, day.dice)
            yield ModelRequest(at, [prompt, user(document)], int(60 + day.dice.random() * 120), parameters=parameters)

    return on


def test_data(customer: Customer) -> Behaviour:
    """Invented rows for a test database, asked for by the hundred: looks like generating, is only testing."""
    dice = customer.dice("habits")
    table = dice.choice(("orders", "patients", "bookings", "policies", "drivers", "members"))
    columns = ", ".join(dice.sample(("id", "name", "city", "amount", "created_at", "status", "email", "note"), 5))

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.bursts(11 * customer.size, 2):
            prompt = (
                f"Make {5 + int(day.dice.random() * 35)} realistic but invented rows for the table {table} "
                f"({columns}) as CSV without a header. Places around {WORDS.say('city', day.dice)}, dates in "
                f"{WORDS.say('month', day.dice)}, {3 + int(day.dice.random() * 30)} percent broken on purpose: "
                f"{DOCUMENTS.say('subject', day.dice)} missing, name of {20 + int(day.dice.random() * 200)} "
                f"characters or more, mentioned once: {WORDS.say('product', day.dice)}."
            )
            yield ModelRequest(at, [user(prompt)], int(400 + day.dice.random() * 900))

    return on


TRANSLATION_BATCH = CustomerKind(
    "translation_batch", 13, translation_batch, ("translation", "localisation"), talks=False
)
CLASSIFICATION = CustomerKind("classification", 18, classification, ("classification", "moderation", "routing of mail"))
EXTRACTION = CustomerKind(
    "extraction", 25, document_extraction, ("document processing", "invoice capture", "meeting notes")
)
TEST_DATA = CustomerKind("test_data", 8, test_data, ("software testing", "demo data"))
