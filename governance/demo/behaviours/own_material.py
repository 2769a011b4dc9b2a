"""Honest customers of the labelled worlds who resemble a harvest and work on their own material."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from random import Random
from typing import Any

from governance.demo.behaviours.talking import conversation, human_chat, support_bot
from governance.demo.customer import Customer, CustomerKind
from governance.demo.day import Behaviour, Day, ModelRequest, system, user
from governance.demo.wording.own_material import OWN_MATERIAL
from governance.demo.wording.support import SUPPORT


def work_by_rule(
    ask: str,
    *,
    by: str = "",
    a_day: float,
    answer: int,
    turns: float = 1.0,
    parameters: Mapping[str, Any] | None = None,
) -> Callable[[Customer], Behaviour]:
    """Return the behaviour of people at work who ask by one rule, under the system prompt of the rule `by`.

    `answer` is the median number of tokens, `turns` the mean number of requests in a conversation.
    """

    def behave(customer: Customer) -> Behaviour:
        dice = customer.dice("habits")
        own = {"company": customer.company}
        prompt = [system(OWN_MATERIAL.say(by, dice, **own))] if by else []
        people = 1 + int(dice.random() * 12)

        def on(day: Day) -> Iterator[ModelRequest]:
            for at in day.office(a_day * customer.size):
                opening = [*prompt, user(OWN_MATERIAL.say(ask, day.dice, **own))]
                colleague = f"u_{int(day.dice.random() * people)}" if people > 3 else None
                if turns > 1:
                    yield from conversation(day, at, opening, SUPPORT, turns=turns, end_user=colleague)
                else:
                    tokens = max(1, int(answer * day.dice.lognormvariate(0, 0.5)))
                    yield ModelRequest(at, opening, tokens, end_user=colleague, parameters=parameters or {})

        return on

    return behave


def template_user(customer: Customer) -> Behaviour:
    """Somebody who found a prompt on the internet and puts own texts into it, as many others do."""
    template = OWN_MATERIAL.say(
        "public_template", customer.common_dice(f"template {customer.dice('which').random():.1f}")
    )

    def on(day: Day) -> Iterator[ModelRequest]:
        for at in day.office(9 * customer.size):
            text = template.replace("OWN", OWN_MATERIAL.say("own_text", day.dice))
            yield ModelRequest(at, [user(text)], int(80 + day.dice.random() * 300))

    return on


def workshop_participant(customer: Customer) -> Behaviour:
    """Somebody on a course: the exercises of the day with a text of their own, at the same hours as the others."""
    course = Random(f"{customer.world}/{customer.group}/course")
    first, hour = int(course.random() * 4), 7 + course.random() * 6

    def on(day: Day) -> Iterator[ModelRequest]:
        if not first <= day.number % 7 < first + 2:
            return
        for _ in range(day.count(24 * customer.size)):
            at = day.starts_at + timedelta(hours=hour + 3 * day.dice.random())
            yield ModelRequest(
                at, [user(OWN_MATERIAL.say("workshop_ask", day.dice))], int(60 + day.dice.random() * 250)
            )

    return on


_COLD = {"temperature": 0}

OWN_JUDGE = CustomerKind(
    "own_product_judge",
    6,
    work_by_rule("ticket", by="judge_system", a_day=14, answer=40, parameters=_COLD),
    ("quality assurance", "customer support"),
)
OWN_SUMMARIES = CustomerKind(
    "own_summaries",
    12,
    work_by_rule("minutes", by="summary_system", a_day=11, answer=120, parameters={"temperature": 0.3}),
    ("document processing", "meeting notes"),
)
SQL_COPILOT = CustomerKind(
    "sql_copilot", 8, work_by_rule("sql_ask", by="sql_system", a_day=9, answer=110, parameters=_COLD), ("analytics",)
)
FAQ_MAKER = CustomerKind(
    "faq_maker", 5, work_by_rule("faq", a_day=10, answer=200), ("knowledge base", "internal search")
)
GAME_WRITER = CustomerKind(
    "game_writer",
    4,
    work_by_rule("scene", by="npc_system", a_day=5, answer=150, turns=1.8),
    ("games", "content generation"),
)
LESSON_PLANNER = CustomerKind(
    "lesson_planner", 6, work_by_rule("lesson", a_day=5, answer=350, turns=1.6), ("education", "teaching")
)
TEMPLATE_USER = CustomerKind("template_user", 10, template_user, ("writing", "personal use", "team chat"))
WORKSHOP = CustomerKind("workshop", 8, workshop_participant, ("education", "personal use"), plans=("payg",))
SISTER_ACCOUNTS = CustomerKind(
    "sister_accounts", 6, support_bot, ("customer support", "service chat"), one_organisation=True, one_card=True
)
OFFICE_VPN = CustomerKind("office_vpn", 9, human_chat, ("chat assistant", "team chat"), one_address=True)
