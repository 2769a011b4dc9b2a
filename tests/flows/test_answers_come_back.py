"""Answers as evidence, from the event that a gateway sends to what a reviewer reads."""

import itertools
import json
from collections.abc import Callable, Iterable
from random import Random

import pytest
import time_machine
from django.test import Client

from accounts.models import Account
from governance import pipeline
from governance.campaigns.explanation import explanation_note
from governance.detection.models import Assessment
from tests.factories import NOW, service_key, usage_event

pytestmark = pytest.mark.django_db

SYLLABLES = ("ba", "do", "ke", "li", "mu", "no", "pa", "ri", "sa", "tu", "ve", "zo")
ROUNDS = 40
SENT_BACK = "stand in answers that it was given itself"
OF_OTHERS = "stand in answers given to an account of another organisation"
Event = dict[str, object]
_numbers = itertools.count()


def text(seed: object, *, words: int = 60) -> str:
    """Return words that no other text has in this order."""
    dice = Random(str(seed))
    return " ".join("".join(dice.choices(SYLLABLES, k=3)) for _ in range(words))


def evolving(account: str, seed: str) -> Iterable[Event]:
    """Each answer is the next question, made harder."""
    for number in range(ROUNDS):
        before = text(f"{seed}-{number - 1}")
        yield {"account": account, "prompt": f"Make this harder: {before}", "output": text(f"{seed}-{number}")}


def send(client: Client, events: Iterable[Event]) -> None:
    lines = [
        json.dumps(usage_event(organisation=f"org_{event['account']}", id=f"evt_{next(_numbers)}") | event)
        for event in events
    ]
    _, known = service_key("usage:write", name=f"gateway-{next(_numbers)}")
    with time_machine.travel(NOW, tick=False):
        body = "\n".join(lines).encode()
        answer = client.post("/api/v1/usage-events", body, content_type="application/x-ndjson", **known)
    assert answer.json()["accepted"] == len(lines), answer.json()
    pipeline.govern(now=NOW)


def note(account: str) -> str:
    return " ".join(explanation_note(Account.objects.get(external_id=account)).split())


def test_an_instruction_that_evolves_is_explained(client: Client) -> None:
    send(client, evolving("acct_evolves", "a"))

    explanation = note("acct_evolves")

    assert SENT_BACK in explanation
    assert "People quote answers, and products work in steps" in explanation
    assert OF_OTHERS not in explanation


def test_alone_it_puts_nobody_before_a_reviewer(client: Client) -> None:
    send(client, evolving("acct_evolves", "a"))

    found = Assessment.objects.latest_of_each().get().findings
    points = [one["points"] for one in found if one["family"] == "answers"]

    assert 0 < sum(points) <= 12


def test_answers_that_an_account_of_another_organisation_sends_are_explained(client: Client) -> None:
    answers = [text(f"b-{number}") for number in range(ROUNDS)]
    send(client, [{"account": "acct_asks", "prompt": f"Tell {one[:9]}", "output": one} for one in answers])

    send(
        client,
        [{"account": "acct_rates", "prompt": f"Rate this: {one}", "output": f"{len(one)} of 9"} for one in answers],
    )

    assert OF_OTHERS in note("acct_rates")
    assert SENT_BACK not in note("acct_asks")


def in_a_conversation(number: int) -> Event:
    """A follow-up that quotes the answer before it."""
    said = text(f"c-{number}")
    return {
        "messages": [
            {"role": "user", "content": text(f"q-{number}", words=9)},
            {"role": "assistant", "content": said},
            {"role": "user", "content": f"You said: {said}. Why?"},
        ],
        "output": text(f"why-{number}"),
    }


def begun(number: int) -> Event:
    return {"prompt": text(f"q-{number}", words=9), "output": text(f"c-{number}")}


def corrected(number: int) -> Event:
    """A text of one's own that comes back corrected, and is sent once more."""
    mine = text(f"d-{number // 2}")
    return {"prompt": f"Correct the spelling: {mine}", "output": f"Here it is: {mine}"}


@pytest.mark.parametrize(
    "look_alike",
    [
        pytest.param(lambda number: (begun(number), in_a_conversation(number)), id="quotes within a conversation"),
        pytest.param(lambda number: (corrected(number),), id="texts of one's own, corrected"),
        pytest.param(lambda number: (begun(number),), id="questions and answers that differ"),
    ],
)
def test_look_alikes_have_no_finding(client: Client, look_alike: Callable[[int], tuple[Event, ...]]) -> None:
    send(client, [{"account": "acct_person"} | one for number in range(ROUNDS) for one in look_alike(number)])

    assert SENT_BACK not in note("acct_person")


def test_reasoning_that_was_signed_for_another_organisation_is_explained(client: Client) -> None:
    blocks = [f"sig_{number}" for number in range(12)]
    send(client, [{"account": "acct_first", "reasoning_digests": [one]} for one in blocks])
    send(client, [{"account": "acct_next", "reasoning_digests": [one]} for one in blocks[:9]])

    assert "9 of its 9 sampled signed reasoning blocks were also sent by 1 account of another organisation" in note(
        "acct_next"
    )


def test_reasoning_passed_on_within_an_organisation_is_no_finding(client: Client) -> None:
    blocks: list[Event] = [{"reasoning_digests": [f"sig_{number}"], "organisation": "org_one"} for number in range(12)]
    send(client, [{"account": "acct_first"} | one for one in blocks])
    send(client, [{"account": "acct_next"} | one for one in blocks])

    assert "signed reasoning blocks" not in note("acct_next")
