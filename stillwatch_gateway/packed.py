"""Restrictions packed into some 30 bytes a name, and found by a hash table."""

import json
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Final

from stillwatch_gateway.entries import EntryTerms, RestrictionEntry

# In the table: the hash of a name and the place of a restriction, counted from 1; 0 where it is empty, negative where
# another restriction of the same name follows.
NAMED: Final = Struct("=qi")
# A restriction: its number, since and until when, and which terms.
KEPT: Final = Struct("=QddI")
# Looked up once: a search is to take no longer than it must.
unpack_named, NAMED_SIZE = NAMED.unpack_from, NAMED.size
unpack_kept, KEPT_SIZE = KEPT.unpack_from, KEPT.size
TARGETS_IN_BLOCK: Final = 512
ROOM: Final = 3  # of the table, for each name: so that a search seldom has to look twice


class PackedRestrictions:
    """Restrictions with the names that they had, packed, in the order of their numbers; found by a hash table.

    Names are held as their hashes of 64 bits, which Python seeds in each process: that a name of another customer
    has the same one as any of a million restricted ones has a chance of one in 10^13. Only the name that each is
    against is kept in words, compressed: it is looked up where a restriction was lost.
    """

    def __init__(self, entries: Iterable[RestrictionEntry]) -> None:
        self.outdated: set[int] = set()  # numbers of those that have ended, or were published again
        self.dropped: set[tuple[int, int]] = set()  # hashes of names, and numbers that cover them no longer
        self._numbers = array("Q")
        self._catalogue: list[EntryTerms] = []
        self._targets: list[bytes] = []
        kept, targets = bytearray(), list[str]()
        places: dict[EntryTerms, int] = {}
        named, of = array("q"), array("I")
        for entry in entries:
            terms = places.setdefault(entry.terms, len(places))
            if terms == len(self._catalogue):
                self._catalogue.append(entry.terms)
            self._numbers.append(entry.number)
            kept += KEPT.pack(entry.number, entry.since, entry.until, terms)
            targets.append(entry.target)
            if len(targets) == TARGETS_IN_BLOCK:
                self._targets.append(_compress(targets))
                targets.clear()
            for name in entry.names:
                named.append(hash(name))
                of.append(len(self._numbers))
        self._targets.append(_compress(targets))
        self._kept = bytearray(bytes(kept))  # without the room that it had to grow
        self._mask = (1 << (ROOM * len(named)).bit_length()) - 1
        self._table = self._fill_table(named, of)

    def _fill_table(self, named: "array[int]", of: "array[int]") -> bytearray:
        table = bytearray(NAMED_SIZE * (self._mask + 1))
        for hashed, place in zip(named, of, strict=True):
            at = hashed & self._mask
            while (other := unpack_named(table, NAMED_SIZE * at))[1]:
                if other[0] == hashed:
                    NAMED.pack_into(table, NAMED_SIZE * at, hashed, -abs(other[1]))
                at = (at + 1) & self._mask
            NAMED.pack_into(table, NAMED_SIZE * at, hashed, place)
        return table

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, number: int) -> bool:
        place = bisect_left(self._numbers, number)
        return place < len(self._numbers) and self._numbers[place] == number

    def from_number(self, first: int) -> Iterator[tuple[int, float]]:
        """Numbers from `first` on, each with when it began."""
        for place in range(bisect_left(self._numbers, first), len(self._numbers)):
            number, since, _, _ = unpack_kept(self._kept, KEPT_SIZE * place)
            yield number, since

    def entry(self, number: int) -> RestrictionEntry:
        """The restriction with this number, with no other name than that of whom it is against."""
        place = bisect_left(self._numbers, number)
        number, since, until, terms = unpack_kept(self._kept, KEPT_SIZE * place)
        block, within = divmod(place, TARGETS_IN_BLOCK)
        target = json.loads(zlib.decompress(self._targets[block]))[within]
        return RestrictionEntry(
            number, self._catalogue[terms], since, until, (target,) if target else (), target=target
        )

    def update_terms(self, entry: RestrictionEntry) -> None:
        """Let the restriction with this number ask what `entry` asks, at its times, of everybody whom it names.

        In one step, so that others may search meanwhile.
        """
        place = bisect_left(self._numbers, entry.number)
        if entry.terms not in self._catalogue:
            self._catalogue.append(entry.terms)
        terms = self._catalogue.index(entry.terms)
        KEPT.pack_into(self._kept, KEPT_SIZE * place, entry.number, entry.since, entry.until, terms)

    def find(self, name: str, now: float, found: dict[int, EntryTerms]) -> None:
        """Add to `found`, by number, what is in force at `now` under this name."""
        hashed = hash(name)
        at = hashed & self._mask
        at_hash, place = unpack_named(self._table, NAMED_SIZE * at)
        while place:
            if at_hash == hashed:
                number, since, until, terms = unpack_kept(self._kept, KEPT_SIZE * (abs(place) - 1))
                if (
                    since <= now < until
                    and number not in self.outdated
                    and not (self.dropped and (hashed, number) in self.dropped)
                ):
                    found[number] = self._catalogue[terms]
                if place > 0:
                    return
            at = (at + 1) & self._mask
            at_hash, place = unpack_named(self._table, NAMED_SIZE * at)


def _compress(targets: list[str]) -> bytes:
    return zlib.compress(json.dumps(targets).encode("ascii"), 1)
