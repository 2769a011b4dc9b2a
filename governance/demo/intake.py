"""Customers and usage of the demonstration come in by the ordinary ways, and refused customers are turned away."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from accounts.actions import register_accounts
from accounts.register import AccountLine
from governance.audit.actor import Actor
from governance.demo.terms import acceptance_lines
from governance.demo.world import World
from governance.restrictions.models import Restriction
from governance.usage.actions import record_import, record_lines

DEMO: Final = Actor.system("load_demo")
_SOURCE: Final = "native"
_BATCH: Final = 5_000


def register_world(world: World, *, ends_at: datetime, now: datetime) -> None:
    """Register the customers of a world, with their keys and the terms that they have accepted."""
    keys: dict[str, list[dict[str, str]]] = {}
    for key in world.keys:
        keys.setdefault(key["account"], []).append({"id": key["api_key"]})
    lines: list[dict[str, Any]] = []
    for account in world.accounts:
        lines.append(account | {"keys": keys.get(account["account"], [])})
        lines.extend(acceptance_lines(account, ends_at=ends_at, until=now))
    register_lines(lines, now=now)


def register_lines(lines: Sequence[dict[str, Any]], *, now: datetime) -> None:
    register_accounts(msgspec.convert(lines, list[AccountLine]), by=DEMO, now=now)


def events_by_day(world: World) -> Iterator[list[dict[str, Any]]]:
    """Yield the events of each day of the world, in order."""
    today: list[dict[str, Any]] = []
    ends = world.starts_at + timedelta(days=1)
    for event in world.events():
        while event["occurred_at"] >= ends.strftime("%Y-%m-%dT%H:%M:%S"):
            yield today
            today, ends = [], ends + timedelta(days=1)
        today.append(event)
    yield today


def ingest_events(events: Sequence[dict[str, Any]], *, now: datetime) -> int:
    """Record these events; how many there were."""
    lines = [msgspec.json.encode(event) for event in events]
    for start in range(0, len(lines), _BATCH):
        record_lines(lines[start : start + _BATCH], source=_SOURCE, now=now)
    record_import("demonstration", accepted=len(lines), duplicate=0, rejected=0, by=DEMO, now=now)
    return len(lines)


def denying_restriction_by_account(*, at: datetime) -> dict[str, int]:
    """Return the number of the restriction because of which each account is refused, by the id of the account."""
    denying = Restriction.objects.in_force(at=at).denying().exclude(account=None).order_by("number")
    return dict(denying.values_list("account__external_id", "number"))
