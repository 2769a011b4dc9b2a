"""Demonstration worlds that tests look at, each made once."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from governance.demo import world
from governance.demo.world import World

ENDS_AT = datetime(2026, 8, 17, 9, 30, tzinfo=UTC)
SMALL = {"days": 3, "accounts": 48}

Event = dict[str, Any]


@cache
def small_world(seed: int = 7) -> World:
    return world.build_world(seed=seed, ends_at=ENDS_AT, **SMALL)


@cache
def fortnight() -> World:
    return world.build_world(seed=7, ends_at=ENDS_AT)


@cache
def small_events() -> list[Event]:
    return list(small_world().events())


@cache
def fortnight_events() -> list[Event]:
    return list(fortnight().events())


def of_kind(events: Iterable[Event], labels: dict[str, str], kind: str) -> list[Event]:
    return [event for event in events if labels[event["account"]] == kind]


def accounts_of(built: World, kind: str) -> list[dict[str, Any]]:
    return [account for account in built.accounts if built.labels[account["account"]] == kind]


def last_words(events: Iterable[Event]) -> list[str]:
    once = {event["id"]: event for event in events if "messages" in event}
    return [event["messages"][-1]["content"] for event in once.values()]
