"""Restrictions that a gateway keeps applying although Stillwatch lost them, because its database was restored."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from stillwatch_gateway.disk import SnapshotStore
from stillwatch_gateway.entries import FOREVER, NAMED_BY, RestrictionEntry
from stillwatch_gateway.epochs import Epoch, HeldOverSet, find_held_over
from stillwatch_gateway.restriction_set import Decision, RestrictionSet

HELD_REPORTED: Final = 200
MOST_NAMES_REPORTED: Final = 100  # of a kind
MOST_REPORTED_BYTES: Final = 2**19  # of all, half of what Stillwatch takes


def _reportable(entry: RestrictionEntry) -> dict[str, Any]:
    """Return a restriction as it was published, cut to what Stillwatch takes in a report; its target is always kept."""
    against = entry.target.partition(":")[0]
    names: dict[str, list[str]] = {kind: [] for kind in NAMED_BY}
    for kind, _, name in (name.partition(":") for name in dict.fromkeys((entry.target, *entry.names))):
        if name and kind in names and len(names[kind]) < MOST_NAMES_REPORTED:
            names[kind].append(name)
    terms = entry.terms
    return {
        "number": entry.number,
        "kind": terms.kind,
        "against": against,
        "reason": terms.reason,
        "from": _iso(entry.since),
        "until": _iso(entry.until),
        "requests_per_minute": terms.requests_per_minute,
        "tokens_per_minute": terms.tokens_per_minute,
        "withheld": list(terms.withheld),
        "names": names,
    }


def _iso(time: float) -> str | None:
    return None if time == FOREVER else datetime.fromtimestamp(time, UTC).isoformat()


class HeldOverRestrictions:
    """Restrictions of epochs that ended, until somebody at Stillwatch has settled what becomes of them."""

    def __init__(self) -> None:
        self._held: tuple[HeldOverSet, ...] = ()
        self._published: dict[int, dict[str, Any]] = {}
        self._since: dict[int, float] = {}  # when each of them began

    def __bool__(self) -> bool:
        return bool(self._held)

    def refusal(self, names: Sequence[str], *, now: float, age: float) -> Decision | None:
        """Return the decision of the first that denies access to the customer with any of these names."""
        for held in self._held:
            decision = held.decide(names, now=now, age=age)
            if not decision.allowed:
                return decision
        return None

    def report(self) -> list[dict[str, Any]]:
        """Return the report to Stillwatch: as many as it takes, each as it was published."""
        reported, size = [], 0
        for one in islice(self._published.values(), HELD_REPORTED):
            size += len(json.dumps(one))
            if size > MOST_REPORTED_BYTES:
                break
            reported.append(one)
        return reported

    def add_lost(self, before: RestrictionSet, now: RestrictionSet, epoch: Epoch) -> frozenset[int]:
        """Hold what `now` lacks since Stillwatch lost it; return its numbers."""
        held = find_held_over(before, now, epoch)
        if held.numbers:
            self._held = (*self._held, held)
            entries = [before.entry(number) for number in sorted(held.numbers)]
            self._published |= {entry.number: _reportable(entry) for entry in entries}
            self._since |= {entry.number: entry.since for entry in entries}
        return held.numbers

    def load_names(self, store: SnapshotStore) -> None:
        """Find on disk how they were published, with all their names."""
        for number, entry in store.published_entries(self._since).items():
            self._published[number] = _reportable(entry)

    def drop_settled(self, epoch: Epoch) -> bool:
        """Drop what is settled; return True if nothing is left."""
        if not self._held or not epoch.settled:
            return False
        self._held = tuple(left for held in self._held if (left := held.left(epoch)).numbers)
        numbers = {number for held in self._held for number in held.numbers}
        self._published = {number: entry for number, entry in self._published.items() if number in numbers}
        self._since = {number: since for number, since in self._since.items() if number in numbers}
        return not self._held
