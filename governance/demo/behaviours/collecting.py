"""Harvests of the labelled worlds: every kind of training set, asked for in a tool's fixed words around new items."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from random import Random
from typing import Any

from governance.demo.customer import Customer, CustomerKind
from governance.demo.day import Behaviour, Day, ModelRequest, user
from governance.demo.wording.collecting import COLLECTING

_PRETEXTS = ("research", "chat assistant", "content generation", "education", "internal tools")
_SLOTS_A_DAY = 7


def harvest_by_rule(
    rule: str,
    *fixed: str,
    a_day: float,
    answer: int,
    times_each: int = 1,
    parameters: Mapping[str, Any] | None = None,
) -> Callable[[Customer], Behaviour]:
    """Return the behaviour of a tool that asks by one rule, the slots `fixed` in the same words every time.

    `answer` is the median number of tokens that an item brings; each item is asked `times_each` times.
    """

    def behave(customer: Customer) -> Behaviour:
        dice = customer.habits()
        words = {slot: COLLECTING.say(slot, dice) for slot in fixed}
        tool = COLLECTING.say("wrapper", dice) if rule in _PAYLOADS else "PAYLOAD"

        def on(day: Day) -> Iterator[ModelRequest]:
            times = day.round_the_clock(a_day * customer.size)
            for first in range(0, len(times), times_each):
                item = tool.replace("PAYLOAD", COLLECTING.say(rule, day.dice, **words))
                for at in times[first : first + times_each]:
                    tokens = max(1, int(answer * day.dice.lognormvariate(0, 0.5)))
                    yield ModelRequest(at, [user(item)], tokens, parameters=parameters or {})

        return on

    return behave


def in_step(behave: Callable[[Customer], Behaviour]) -> Callable[[Customer], Behaviour]:
    """Return the behaviour of accounts that one work queue feeds: all of a group ask in the same few ten minutes."""

    def together(customer: Customer) -> Behaviour:
        ask = behave(customer)

        def on(day: Day) -> Iterator[ModelRequest]:
            queue = Random(f"{customer.world}/{customer.group}/{day.number}")
            slots = sorted(int(queue.random() * 144) for _ in range(_SLOTS_A_DAY))
            for request in ask(day):
                minutes = 10 * day.picks(slots) + 10 * day.dice.random()
                request.at = day.starts_at + timedelta(minutes=minutes)
                yield request

        return on

    return together


# Items that stand in a wrapper. The other rules are whole requests.
_PAYLOADS = frozenset({"anything", "problem", "concept_question"})


def _kind(name: str, behave: Callable[[Customer], Behaviour]) -> CustomerKind:
    return CustomerKind(name, 1, behave, _PRETEXTS, ("flagship-2",), harvest=True, talks=False)


_LOGITS = {"max_tokens": 1, "logprobs": True, "top_logprobs": 20, "temperature": 1.0}

WRAPPED_REASONING = _kind("wrapped_reasoning", harvest_by_rule("anything", a_day=45, answer=700))
SAMPLED_SOLUTIONS = _kind(
    "sampled_solutions", harvest_by_rule("problem", a_day=48, answer=450, times_each=4, parameters={"temperature": 1.0})
)
EVOLUTION = _kind("evolution", harvest_by_rule("evolve", "evolve_ask", "keep", a_day=45, answer=110))
SYNTHETIC_QUESTIONS = _kind(
    "synthetic_questions", harvest_by_rule("exam", "distractors", "key", "level_of", a_day=30, answer=600)
)
DIALOGUE_SELF_PLAY = _kind("dialogue_self_play", harvest_by_rule("dialogue", "dialogue_rule", a_day=36, answer=420))
CODE_HARVEST = _kind(
    "code_harvest", harvest_by_rule("code_task", "code_ask", "code_also", "code_language", a_day=36, answer=650)
)
PAIR_SYNTHESIS = _kind("pair_synthesis", harvest_by_rule("pair", "pair_ask", "pair_form", a_day=50, answer=260))
TEXTBOOKS = _kind("textbooks", harvest_by_rule("textbook", "book_rule", "level_of", a_day=24, answer=1100))
TRANSLATION_CORPUS = _kind("translation_corpus", harvest_by_rule("parallel", "language", a_day=40, answer=380))
TRAJECTORIES = _kind("trajectories", harvest_by_rule("agent_task", "agent_form", a_day=28, answer=900))
LOGIT_ACCESS = _kind("logit_access", harvest_by_rule("logit_probe", a_day=70, answer=1, parameters=_LOGITS))
SLOW_AND_LOW = _kind("slow_and_low", harvest_by_rule("concept_question", a_day=3, answer=650))
