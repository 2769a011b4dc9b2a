"""Epochs of the feed: unbroken histories of changes, and what a gateway still holds of one that broke off.

A number says which change only together with its epoch. Where Stillwatch's database went back in time, a new epoch
begins, and the numbers of what was lost are named: who still holds one of those goes on refusing because of it until
Stillwatch says that it is settled.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from stillwatch_gateway.restriction_set import Decision, RestrictionSet

LONGEST_IDENTIFIER: Final = 64
Range = tuple[int, int]


class Epoch(NamedTuple):
    """`lost` and `settled` are ranges of numbers, both ends included: of changes that were lost at a restore, and of
    those that need no care any more. `identifier` is blank where Stillwatch is of a release without epochs.
    """

    identifier: str = ""
    lost: tuple[Range, ...] = ()
    settled: tuple[Range, ...] = ()

    def is_open(self, number: int) -> bool:
        """Whether a restriction of this number was lost, and nobody has settled what is to become of it."""
        return _among(number, self.lost) and not _among(number, self.settled)


class HeldOverSet(NamedTuple):
    """Restrictions of an epoch that ended, of which only those with these numbers still count, if they deny."""

    restricted: RestrictionSet
    numbers: frozenset[int]

    def decide(self, names: Sequence[str], *, now: float, age: float) -> Decision:
        return self.restricted.decide_among(self.numbers, names, now=now, age=age)

    def left(self, epoch: Epoch) -> "HeldOverSet":
        """What is left once Stillwatch has settled some."""
        return self._replace(numbers=frozenset(number for number in self.numbers if not _among(number, epoch.settled)))


def find_held_over(before: RestrictionSet, now: RestrictionSet, epoch: Epoch) -> HeldOverSet:
    """What a gateway held before, and a newer snapshot lacks because it was lost.

    What was decided between a restore and the new epoch may have taken the number of a lost one, but began at another
    time. Where the database went back and no epoch says so, all that is newer than the snapshot was lost.
    """

    def is_lost(number: int, since: float) -> bool:
        if (there := now.since(number)) is not None:
            return there != since and not _among(number, epoch.settled)
        return epoch.is_open(number) or number > now.sequence

    return HeldOverSet(before, frozenset(number for number, since in before.live() if is_lost(number, since)))


def parse_epoch(document: Mapping[str, Any]) -> Epoch:
    """What a message says of its epoch; blank where it says nothing, as those of older releases."""
    identifier = document.get("epoch")
    if not isinstance(identifier, str) or not 0 < len(identifier) <= LONGEST_IDENTIFIER:
        return Epoch()
    return Epoch(identifier, _ranges(document.get("lost_numbers")), _ranges(document.get("settled_numbers")))


def to_ranges(numbers: Iterable[int]) -> tuple[Range, ...]:
    """Ascending numbers as ranges."""
    found: list[Range] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = found[-1][0], number
        else:
            found.append((number, number))
    return tuple(found)


def _among(number: int, ranges: Iterable[Range]) -> bool:
    return any(first <= number <= last for first, last in ranges)


def _ranges(given: Any) -> tuple[Range, ...]:
    """Those that can be read."""
    found = []
    for one in given if isinstance(given, list) else ():
        match one:
            case [int(first), int(last)]:
                found.append((first, last))
    return tuple(found)
