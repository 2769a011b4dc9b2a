"""What a gateway goes on refusing because Stillwatch lost it, when its database went back in time."""

import logging
from collections.abc import Sequence
from typing import Any, Final

from stillwatch_gateway.disk import Store
from stillwatch_gateway.entries import NAMED_BY
from stillwatch_gateway.epochs import Epoch, HeldOver, held_over
from stillwatch_gateway.restricted import Decision, Restricted

logger = logging.getLogger("stillwatch_gateway")

HELD_REPORTED: Final = 200
REPORTED: Final = (
    "number", "kind", "against", "reason", "from", "until", "requests_per_minute", "tokens_per_minute", "withheld",
)  # fmt: skip
MOST_NAMES_REPORTED: Final = 100  # of a kind


def _reportable(told: dict[str, Any]) -> dict[str, Any]:
    """A restriction as it was told, cut to what Stillwatch takes in a report."""
    names = told.get("names") or told.get("names_added") or {}
    cut = {kind: names.get(kind, [])[:MOST_NAMES_REPORTED] for kind in NAMED_BY}
    return {member: told[member] for member in REPORTED if member in told} | {"names": cut}


class Holding:
    """Restrictions of epochs that ended, until somebody at Stillwatch has settled what becomes of them."""

    def __init__(self) -> None:
        self._held: tuple[HeldOver, ...] = ()
        self._told: dict[int, dict[str, Any]] = {}

    def __bool__(self) -> bool:
        return bool(self._held)

    def refusal(self, names: Sequence[str], *, now: float, age: float) -> Decision | None:
        """The decision of the first that denies access to whoever has any of these names."""
        for held in self._held:
            decision = held.decide(names, now=now, age=age)
            if not decision.allowed:
                return decision
        return None

    def report(self) -> list[dict[str, Any]]:
        """What Stillwatch is told of them: each as it was told, as far as that is known."""
        return list(self._told.values())[:HELD_REPORTED]

    def hold_over(self, before: Restricted, now: Restricted, epoch: Epoch) -> frozenset[int]:
        """Hold what `now` lacks since Stillwatch lost it; return its numbers."""
        held = held_over(before, now, epoch)
        if held.numbers:
            self._held = (*self._held, held)
            self._told |= {number: before.told(number) or {"number": number} for number in sorted(held.numbers)}
        return held.numbers

    def look_up(self, store: Store) -> None:
        """Find on disk how they were told."""
        for told in store.told_of(self._told):
            self._told[told["number"]] = _reportable(told)

    def let_go_of_settled(self, epoch: Epoch) -> bool:
        """Let go of what is settled; return whether that leaves nothing of what there was."""
        if not self._held or not epoch.settled:
            return False
        self._held = tuple(left for held in self._held if (left := held.left(epoch)).numbers)
        numbers = {number for held in self._held for number in held.numbers}
        self._told = {number: told for number, told in self._told.items() if number in numbers}
        return not self._held


def log_loss(before: Restricted, now: Restricted, numbers: frozenset[int]) -> None:
    logger.error(
        "Stillwatch's database went back in time: epoch %s takes the place of %s, change %d. %d restrictions "
        "that were known here are gone there. They stay in force here, and are reported, until somebody at "
        "Stillwatch has looked at them on the page /enforcement/.",
        now.epoch or "(none)",
        before.epoch or "(none)",
        before.sequence,
        len(numbers),
    )
