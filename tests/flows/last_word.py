"""What a machine asks for and staff decides, and what gateways are answered, now and later."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from governance.restrictions.actions import end_expired
from governance.restrictions.queries import access, last_number
from governance.staff.models import ServiceKey
from stillwatch_gateway.messages import read_changes, read_snapshot
from stillwatch_gateway.restriction_set import RestrictionSet
from tests.factories import service_key
from tests.front import Served
from tests.review.pages import block_form

HOUR = timedelta(hours=1)
BLOCK = {"kind": "block", "reason": "bulk_harvest"}


def is_let_in(front: Served, name: str) -> bool:
    """What the gateway is answered, once the newest change is there."""
    return bool(front.check(account=name, min_sequence=last_number())["decision"] == "allow")


def form(action: str = "block", **fields: str) -> dict[str, str]:
    return block_form(decision=str(uuid.uuid4()), action=action, favour="evaluation", **fields)


def in_hours(hours: int) -> str:
    return (timezone.now() + hours * HOUR).isoformat()


class Clock:
    """The time, some hours ahead."""

    hours = 0

    def __call__(self) -> datetime:
        return timezone.now() + self.hours * HOUR


def denying_restriction(front: Served, name: str, *, at: datetime) -> int | None:
    """The restriction under which a client of the feed, which begins to follow it now, refuses the account then."""
    faults: list[str] = []
    head, entries = read_snapshot(front.ask("/api/v1/access/snapshot").body.splitlines(), faults)
    restricted = RestrictionSet(entries, head.sequence)
    while restricted.sequence < last_number():
        for change in read_changes(front.ask(f"/api/v1/access/changes?after={restricted.sequence}").body).changes:
            restricted.change(*change)
    assert faults == []
    decision = restricted.decide([f"account:{name}"], now=at.timestamp())
    return None if decision.allowed else decision.number


def assert_denied_until(front: Served, name: str, *, hours: int) -> None:
    """At the check, at a client of the feed and in Stillwatch itself, before the end is noted and after."""
    before, after = (timezone.now() + hours * HOUR + ahead for ahead in (-HOUR / 2, HOUR / 2))
    assert denied_by(front, name, at=before) == [True, True, True]
    assert denied_by(front, name, at=after) == [False, False, False]
    end_expired(now=after)
    assert denied_by(front, name, at=after) == [False, False, False]


def denied_by(front: Served, name: str, *, at: datetime) -> list[bool]:
    assert front.knows(last_number())
    return [
        not front.front.replica.restricted.decide([f"account:{name}"], now=at.timestamp()).allowed,
        denying_restriction(front, name, at=at) is not None,
        not access(account=name, now=at).allowed,
    ]


class Api:
    """A machine that restricts, with a service key of its own."""

    def __init__(self) -> None:
        self.client, (_, self.known) = Client(), service_key(ServiceKey.Scope.RESTRICTIONS_WRITE)

    def post(self, body: Any, **headers: str) -> Any:
        return self.client.post(
            "/api/v1/restrictions", body, content_type="application/json", headers=headers, **self.known
        )

    def delete(self, what: str) -> Any:
        return self.client.delete(f"/api/v1/restrictions{what}", **self.known)
