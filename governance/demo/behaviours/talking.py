"""Customers whose users talk: support bots, chat assistants, tutoring, offices and universities."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from governance.demo.customer import Customer, CustomerKind
from governance.demo.day import Behaviour, Day, ModelRequest, assistant, system, user
from governance.demo.grammar import Grammar
from governance.demo.wording.code import CODE
from governance.demo.wording.documents import DOCUMENTS
from governance.demo.wording.everyday import EVERYDAY
from governance.demo.wording.support import SUPPORT

_LONGEST = 4


def conversation(
    day: Day,
    at: datetime,
    opening: list[dict[str, str]],
    grammar: Grammar,
    *,
    turns: float,
    end_user: str | None,
) -> Iterator[ModelRequest]:
    """Yield one conversation's requests, each with the whole talk so far; `turns` is their mean number."""
    dice = day.dice
    name = f"c_{dice.getrandbits(40):010x}"
    messages = opening
    for turn in range(_LONGEST):
        answer = int(30 + dice.lognormvariate(4.7, 0.6))
        yield ModelRequest(at, messages, answer, end_user=end_user, conversation=name, parameters={"stream": True})
        if turn + 1 == _LONGEST or dice.random() > 1 - 1 / turns:
            return
        at += timedelta(seconds=20 + dice.expovariate(1 / 70))
        messages = [
            *messages,
            assistant(grammar.say("reply", dice)),
            user(grammar.say("follow_up", dice)),
        ]


def support_bot(customer: Customer) -> Behaviour:
    """A company's help desk: one system prompt, many end users, a few turns each, in its opening hours."""
    dice = customer.dice("habits")
    prompt = system(SUPPORT.say("system", dice, company=customer.company, trade=customer.trade))
    clients = int(150 + dice.random() * 800)

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.office(6 * customer.size):
            opening = [prompt, user(SUPPORT.say("opening", day.dice))]
            end_user = f"u_{int(day.dice.random() * clients)}"
            yield from conversation(day, at, opening, SUPPORT, turns=1.9, end_user=end_user)

    return on


def human_chat(customer: Customer) -> Behaviour:
    """A small chat product or a person with a chat client: everyday questions, mostly in the evening."""
    dice = customer.dice("habits")
    people = int(1 + dice.random() ** 2 * 60)

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.awake(4 * customer.size):
            end_user = f"u_{int(day.dice.random() * people)}" if people > 1 else None
            opening = [user(EVERYDAY.say("opening", day.dice))]
            yield from conversation(day, at, opening, EVERYDAY, turns=1.7, end_user=end_user)

    return on


def tutoring_platform(customer: Customer) -> Behaviour:
    """A learning site: thousands of pupils under one prompt that asks for small steps."""
    prompt = system(SUPPORT.say("tutor_system", customer.dice("habits"), company=customer.company))

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.awake(10 * customer.size):
            opening = [prompt, user(SUPPORT.say("pupil", day.dice))]
            end_user = f"pupil_{int(day.dice.random() * 4000)}"
            yield from conversation(day, at, opening, SUPPORT, turns=1.8, end_user=end_user)

    return on


def university(customer: Customer) -> Behaviour:
    """One group of a university, behind the same address as the others: letters, tables and code."""
    habits = (
        (EVERYDAY, "proofread"),
        (EVERYDAY, "sheet"),
        (CODE, "instruction"),
        (CODE, "bug"),
        (EVERYDAY, "letter"),
        (DOCUMENTS, "query"),
    )

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.office(7 * customer.size):
            grammar, rule = day.picks(habits)
            opening = [user(grammar.say(rule, day.dice))]
            yield from conversation(day, at, opening, EVERYDAY, turns=1.5, end_user=None)

    return on


def agency_client(customer: Customer) -> Behaviour:
    """One of an agency's client accounts, all paid with its card: texts for shops and newsletters."""
    prompt = system(
        f"You write for {customer.company} ({customer.trade}). House style: short sentences, "
        "no superlatives, no exclamation marks, British spelling. Return the text only."
    )

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.office(8 * customer.size):
            brief = DOCUMENTS.say("product_brief", day.dice, company=customer.company)
            yield ModelRequest(at, [prompt, user(brief)], int(90 + day.dice.random() * 300))

    return on


SUPPORT_BOT = CustomerKind("support_bot", 40, support_bot, ("customer support", "help desk", "service chat"))
HUMAN_CHAT = CustomerKind(
    "human_chat",
    54,
    human_chat,
    ("chat assistant", "personal use", "team chat"),
    plans=("payg", "payg", "team"),
)
TUTORING_PLATFORM = CustomerKind(
    "tutoring_platform", 8, tutoring_platform, ("tutoring", "education"), called="Learning"
)
UNIVERSITY = CustomerKind(
    "university",
    6,
    university,
    ("research", "teaching"),
    least=2,
    one_organisation=True,
    one_address=True,
    called="University",
)
AGENCY = CustomerKind("agency", 5, agency_client, ("marketing texts", "copywriting"), least=5, one_card=True)
