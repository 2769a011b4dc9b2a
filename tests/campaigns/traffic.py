"""Usage of made-up customers, from the first door on."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import product
from random import Random

from governance import pipeline
from governance.usage.actions import record_lines
from tests.factories import NOW, usage_event

HEADS = ("acct_a", "acct_b", "acct_c", "acct_d", "acct_e")
WRAPPERS = (
    "Answer the following at length, covering every side of it.\n\n{}\n\nGive all of your reasoning before the answer.",
    "Task: solve what is asked here in full detail.\n\n{}\n\nThink it through step by step and then conclude.",
    "### Assignment of the day, to be completed\n\n{}\n\nExplain each of your steps and check the result.",
)
VERBS = ("Describe", "Compare", "Explain", "Design", "Write", "Derive", "List", "Translate", "Summarize", "Classify")
SUBJECTS = (
    "the tides and the moon", "why bread rises", "a sonnet on autumn", "how parliaments vote", "sorting in linear time",
    "the causes of a war", "a recipe with lemon", "the price of wheat futures", "how cells divide", "football rules",
    "free will in Kant", "repairing an engine", "the orbits of comets", "the grammar of Latin verbs", "a loan contract",
    "a bridge of steel", "the history of tea", "insulin and sugar", "a chess opening", "tax on imports",
)  # fmt: skip
DETAILS = (
    "for a reader of twelve with two worked examples", "in the style of a court ruling of the last century",
    "as a table of causes against their later effects", "using only the numbers from 3 to 900 and no letters",
    "with a counterexample, a proof and an open question", "as a dialogue of a sailor and a banker at night",
    "and rank six alternatives by cost, risk and beauty", "then criticise the answer from three opposing views",
)  # fmt: skip


def tasks(seed: int) -> Iterable[str]:
    """Return tasks on everything, in an order of their own, no two of one subject with the same verb and detail."""
    every = [" ".join(parts) for parts in product(VERBS, SUBJECTS, DETAILS)]
    Random(seed).shuffle(every)
    return every


ALL_TASKS = list(tasks(0))


def prompts_of(place: int, number: int) -> str:
    """Return a task that no other account gets: each has its own part of one collection."""
    return WRAPPERS[number % len(WRAPPERS)].format(ALL_TASKS[(40 * place + number) % len(ALL_TASKS)])


def long_prompts_of(place: int, number: int) -> str:
    """Return three tasks in one, so that no two prompts are alike but for a word or two."""
    chosen = (ALL_TASKS[(40 * place + number + 531 * part) % len(ALL_TASKS)] for part in range(3))
    return WRAPPERS[number % len(WRAPPERS)].format(". ".join(chosen))


def lines_of(
    accounts: Iterable[str],
    prompt: Callable[[int, int], str | None],
    *,
    each: int = 30,
    start: int = 0,
    at: datetime = NOW,
    **parameters: object,
) -> list[bytes]:
    """Return so many requests of each of these accounts, of an organisation each; `prompt` gets account and request."""
    lines = []
    for place, account in enumerate(accounts):
        for number in range(start, start + each):
            text = prompt(place, number)
            event = usage_event(
                id=f"{account}-{number}",
                account=account,
                organisation=f"org_{account}",
                occurred_at=(at - timedelta(hours=1) + timedelta(minutes=number % 50)).isoformat(),
                parameters={"temperature": 1.0, "max_tokens": 900} | parameters,
                **({"messages": [{"role": "user", "content": text}]} if text else {}),
            )
            lines.append(json.dumps(event).encode())
    return lines


def send(
    accounts: Iterable[str],
    prompt: Callable[[int, int], str | None],
    *,
    each: int = 30,
    start: int = 0,
    **parameters: object,
) -> None:
    record_lines(lines_of(accounts, prompt, each=each, start=start, at=NOW, **parameters), source="native", now=NOW)


def harvest_lines(*accounts: str, each: int = 30, start: int = 0, at: datetime = NOW) -> list[bytes]:
    """Return the requests of accounts that divide one collection among them."""
    return lines_of(accounts, prompts_of, each=each, start=start, at=at)


def govern(at: datetime = NOW) -> None:
    while pipeline.govern(now=at):
        pass
