"""What gateways report, of which the check keeps no more in memory than it should."""

from typing import Any

import pytest
from django.utils import timezone

from governance.gateways.models import LostDecision, Refusal
from tests.factories import account, restriction
from tests.front import Served

CHANGES = "/api/v1/access/changes"


def report(front: Served, **reported: Any) -> None:
    said = front.ask(CHANGES, method="POST", body={"after": 0, "wait": 0, "instance": "a"} | reported)
    assert said.status == 200


def held_over(number: int) -> dict[str, Any]:
    return {"number": number, "kind": "block", "against": "account", "names": {"account": [f"acct_{number}"]}}


def test_of_what_a_gateway_still_refuses_so_many_are_noted_at_a_time(
    front: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("governance.gateways.check.telemetry.MOST_REPORTED", 2)
    report(front, held_over=[held_over(number) for number in (7, 8, 9)])
    report(front, held_over=[held_over(7)])
    front.front.telemetry.flush()
    first = [one.number for one in LostDecision.objects.order_by("number")]

    report(front, held_over=[held_over(9)])
    front.front.telemetry.flush()

    assert first == [7, 8]
    assert [one.number for one in LostDecision.objects.order_by("number")] == [7, 8, 9]


def test_refusals_are_counted_on_where_it_is_forgotten_which_were_written_down(
    front: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("governance.gateways.check.telemetry.MOST_PROVEN", 1)
    numbers = [restriction(account(name), at=timezone.now()).number for name in ("acct_1", "acct_2")]
    front.knows(numbers[-1])
    telemetry = front.front.telemetry
    for _ in range(2):
        for name in ("acct_1", "acct_2"):
            front.check(account=name)
            telemetry.flush()

    assert {one.restriction_id: one.count for one in Refusal.objects.all()} == dict.fromkeys(numbers, 2)
    assert len(telemetry._proven) <= 2
