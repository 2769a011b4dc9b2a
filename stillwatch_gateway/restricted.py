"""Who is restricted, held in memory: answers in microseconds, and in some 50 bytes a name.

One thread may change it while others ask. What is told first counts first: a change never lets anybody through for a
moment between an old restriction and the one that takes its place.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from math import inf
from typing import Final, NamedTuple

KINDS: Final = ("watch", "warn", "throttle", "withhold", "verify", "suspend", "block")
DENYING: Final = frozenset({"suspend", "block"})
NAMED_BY: Final = ("organisation", "account", "key", "digest")
BUCKETS: Final = 256
FOREVER: Final = inf


class Terms(NamedTuple):
    """What a restriction asks of the gateway. Few differ, so that thousands of restrictions share one."""

    kind: str
    reason: str
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    withheld: tuple[str, ...] = ()


class Entry(NamedTuple):
    """A restriction as it was told. Times are seconds since 1970, `until` is infinite where there is none; `names`
    are such as "account:acct_1042".
    """

    number: int
    terms: Terms
    since: float
    until: float
    names: tuple[str, ...]


class Decision(NamedTuple):
    """What a gateway is to do with a request. `number` and `kind` are those of the strongest restriction, if any.

    `sequence` is the number of the newest change that it takes into account; `age` the seconds since that was last
    known to be the newest; `because` says why, where it is not a restriction that refuses.
    """

    allowed: bool
    kind: str | None
    reason: str | None
    number: int | None
    requests_per_minute: int | None
    tokens_per_minute: int | None
    withheld: tuple[str, ...]
    sequence: int
    age: float
    because: str = ""


class OutOfOrderError(ValueError):
    """A change that does not follow on what is known."""


class Restricted:
    """The restrictions in force up to the change `sequence`: many from a snapshot, and what was told since."""

    def __init__(self, entries: Iterable[Entry] = (), sequence: int = 0) -> None:
        self.sequence = sequence
        self._packed = _Packed(entries)
        self._outdated: set[int] = set()  # of the packed ones: ended, or told anew
        self._newer: dict[int, Entry] = {}
        self._by_name: dict[str, tuple[Entry, ...]] = {}

    def __len__(self) -> int:
        return len(self._packed) - len(self._outdated) + len(self._newer)

    @property
    def told_since(self) -> int:
        """How much is held beside the snapshot, where it takes more room."""
        return len(self._newer) + len(self._outdated)

    def change(self, number: int, told: Entry | None, ended: int | None) -> None:
        """Take in the next change: a restriction that began or covers more names, or the number of one that ended.

        Raises OutOfOrderError where `number` is not the next one.
        """
        if number != self.sequence + 1:
            raise OutOfOrderError(f"change {number} after {self.sequence}")
        if told is not None:
            before = self._newer.get(told.number)
            self._newer[told.number] = told
            for name in told.names:
                others = [entry for entry in self._by_name.get(name, ()) if entry.number != told.number]
                self._by_name[name] = (*others, told)
            if before is not None:
                self._unname(before, keep=set(told.names))
            self._outdate(told.number)
        if ended is not None:
            self._outdate(ended)
            gone = self._newer.pop(ended, None)
            if gone is not None:
                self._unname(gone)
        self.sequence = number

    def _outdate(self, number: int) -> None:
        if number in self._packed:
            self._outdated.add(number)

    def _unname(self, gone: Entry, keep: Iterable[str] = ()) -> None:
        for name in set(gone.names).difference(keep):
            left = tuple(entry for entry in self._by_name.get(name, ()) if entry.number != gone.number)
            if left:
                self._by_name[name] = left
            else:
                self._by_name.pop(name, None)

    def decide(
        self,
        *,
        account: str | None = None,
        key: str | None = None,
        digest: str | None = None,
        organisation: str | None = None,
        now: float,
        age: float = 0.0,
    ) -> Decision:
        """What is in force at `now` on whoever has any of these names. `digest` is that of the key, in hexadecimal."""
        found: list[tuple[int, Terms]] = []
        if account is not None:
            self._find("account:" + account, now, found)
        if key is not None:
            self._find("key:" + key, now, found)
        if digest is not None:
            self._find("digest:" + digest, now, found)
        if organisation is not None:
            self._find("organisation:" + organisation, now, found)
        if not found:
            return Decision(True, None, None, None, None, None, (), self.sequence, age)  # noqa: FBT003
        return _strongest(found, self.sequence, age)

    def _find(self, name: str, now: float, found: list[tuple[int, Terms]]) -> None:
        if newer := self._by_name.get(name):
            found.extend((entry.number, entry.terms) for entry in newer if entry.since <= now < entry.until)
        if packed := self._packed.find(name, now):
            found.extend(one for one in packed if one[0] not in self._outdated)


def _strongest(found: list[tuple[int, Terms]], sequence: int, age: float) -> Decision:
    number, terms = max(found, key=lambda one: (KINDS.index(one[1].kind), one[0]))
    requests = [t.requests_per_minute for _, t in found if t.requests_per_minute is not None]
    tokens = [t.tokens_per_minute for _, t in found if t.tokens_per_minute is not None]
    return Decision(
        allowed=terms.kind not in DENYING,
        kind=terms.kind,
        reason=terms.reason,
        number=number,
        requests_per_minute=min(requests, default=None),
        tokens_per_minute=min(tokens, default=None),
        withheld=tuple(sorted({what for _, t in found for what in t.withheld})),
        sequence=sequence,
        age=age,
    )


class _Packed:
    """Restrictions that do not change any more, in columns and in the order of their numbers.

    Names are held as their hashes of 64 bits, which Python keys anew in each process: that a name of somebody else
    has the same one as any of a million restricted ones has a chance of one in 10^13.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._numbers, self._since, self._until = array("Q"), array("d"), array("d")
        self._terms = array("I")
        self._catalogue: list[Terms] = []
        places: dict[Terms, int] = {}
        loose = [(array("q"), array("I")) for _ in range(BUCKETS)]
        for entry in entries:
            place = len(self._numbers)
            self._numbers.append(entry.number)
            self._since.append(entry.since)
            self._until.append(entry.until)
            terms = places.setdefault(entry.terms, len(places))
            if terms == len(self._catalogue):
                self._catalogue.append(entry.terms)
            self._terms.append(terms)
            for name in entry.names:
                hashed = hash(name)
                hashes, slots = loose[hashed % BUCKETS]
                hashes.append(hashed)
                slots.append(place)
        self._buckets = [_sorted(*bucket) for bucket in loose]

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, number: int) -> bool:
        place = bisect_left(self._numbers, number)
        return place < len(self._numbers) and self._numbers[place] == number

    def find(self, name: str, now: float) -> list[tuple[int, Terms]]:
        hashed = hash(name)
        hashes, slots = self._buckets[hashed % BUCKETS]
        place = bisect_left(hashes, hashed)
        found = []
        while place < len(hashes) and hashes[place] == hashed:
            slot = slots[place]
            if self._since[slot] <= now < self._until[slot]:
                found.append((self._numbers[slot], self._catalogue[self._terms[slot]]))
            place += 1
        return found


def _sorted(hashes: "array[int]", slots: "array[int]") -> tuple["array[int]", "array[int]"]:
    order = sorted(range(len(hashes)), key=hashes.__getitem__)
    return array("q", [hashes[i] for i in order]), array("I", [slots[i] for i in order])
