"""Who is restricted, held in memory: answers in microseconds, and in some 30 bytes a name.

One thread may change it while others ask. What comes first counts first: a change never lets anybody through for a
moment between an old restriction and the one that takes its place.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from stillwatch_gateway.entries import DENYING, KINDS, EntryTerms, RestrictionEntry, Throttle
from stillwatch_gateway.packed import PackedRestrictions

# Why a decision refuses without a restriction, where it is not because of a name.
UNREACHABLE: Final = "stillwatch cannot be reached"


class Decision(NamedTuple):
    """What a gateway is to do with a request. `number` and `kind` are those of the strongest restriction, if any.

    `sequence` is the number of the newest change that it takes into account; `age` the seconds since that was last
    known to be the newest; `because` says why, where it is not a restriction that refuses. `throttles` are all limits
    on requests, of which `requests_per_minute` is the lowest.
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
    throttles: tuple[Throttle, ...] = ()
    epoch: str = ""


class OutOfOrderError(ValueError):
    """A change that does not follow on what is known."""


class RestrictionSet:
    """What is in force up to the change `sequence` of an epoch: many from a snapshot, and the changes since."""

    def __init__(self, entries: Iterable[RestrictionEntry] = (), sequence: int = 0, epoch: str = "") -> None:
        self.sequence, self.epoch = sequence, epoch
        self._packed = PackedRestrictions(entries)
        self._newer: dict[int, RestrictionEntry] = {}
        self._partial: set[int] = set()  # numbers in `_newer` that have further names in the snapshot
        self._by_name: dict[str, tuple[RestrictionEntry, ...]] = {}

    def __len__(self) -> int:
        return len(self._packed) - len(self._packed.outdated) + len(self._newer) - len(self._partial)

    @property
    def changes_since_snapshot(self) -> int:
        """How much is held beside the snapshot, where it takes more room."""
        return len(self._newer) + len(self._packed.outdated) + len(self._packed.dropped)

    def change(self, number: int, current: RestrictionEntry | None, ended: int | None) -> None:
        """Take in the next change: a restriction that began or covers other names, or the number of one that ended.

        Raises OutOfOrderError where `number` is not the next one, or where the names of a restriction change that is
        not known.
        """
        if number != self.sequence + 1:
            raise OutOfOrderError(f"change {number} after {self.sequence}")
        if current is not None and not current.is_whole:
            self._rename(current)
        elif current is not None:
            before = self._newer.get(current.number)
            self._newer[current.number] = current
            for name in current.names:
                others = [entry for entry in self._by_name.get(name, ()) if entry.number != current.number]
                self._by_name[name] = (*others, current)
            if before is not None:
                self._unname(before, keep=set(current.names))
            self._outdate(current.number)
            self._partial.discard(current.number)
        if ended is not None:
            self._outdate(ended)
            self._partial.discard(ended)
            gone = self._newer.pop(ended, None)
            if gone is not None:
                self._unname(gone)
        self.sequence = number

    def _rename(self, current: RestrictionEntry) -> None:
        before = self._newer.get(current.number)
        packed = current.number in self._packed and current.number not in self._packed.outdated
        if before is None and not packed:
            raise OutOfOrderError(f"the names of restriction {current.number} change, which is not known")
        removed = set(current.removed)
        known = before or self._packed.entry(current.number)._replace(names=())
        now = known.with_names_changed(current)
        has_other_terms = (now.terms, now.since, now.until) != (known.terms, known.since, known.until)
        for name in now.names if has_other_terms else current.names:
            others = [entry for entry in self._by_name.get(name, ()) if entry.number != current.number]
            self._by_name[name] = (*others, now)
        self._newer[current.number] = now
        if packed:
            self._partial.add(current.number)
            self._packed.update_terms(now)
            self._packed.dropped.update((hash(name), current.number) for name in removed)
        if before is not None and removed:
            self._unname(before, keep=set(now.names))

    def _outdate(self, number: int) -> None:
        if number in self._packed:
            self._packed.outdated.add(number)

    def _unname(self, gone: RestrictionEntry, keep: Iterable[str] = ()) -> None:
        for name in set(gone.names).difference(keep):
            left = tuple(entry for entry in self._by_name.get(name, ()) if entry.number != gone.number)
            if left:
                self._by_name[name] = left
            else:
                self._by_name.pop(name, None)

    def decide(self, names: Sequence[str], *, now: float, age: float = 0.0) -> Decision:
        """Return what is in force at `now` on the customer with any of these names, such as "account:acct_1042"."""
        found: dict[int, EntryTerms] = {}  # by number: one restriction mostly has several of the names
        for name in names:
            self._find(name, now, found)
        if not found:
            return Decision(True, None, None, None, None, None, (), self.sequence, age, "", (), self.epoch)  # noqa: FBT003
        decision = _strongest(found, self.sequence, age, self.epoch)
        if any(found[throttle.number].each_account for throttle in decision.throttles):
            return self._with_customers(decision, found, names, now)
        return decision

    def decide_among(self, numbers: AbstractSet[int], names: Sequence[str], *, now: float, age: float) -> Decision:
        """`decide`, as if only the restrictions with these numbers were held."""
        found: dict[int, EntryTerms] = {}
        for name in names:
            self._find(name, now, found)
        found = {number: terms for number, terms in found.items() if number in numbers}
        if not found:
            return Decision(True, None, None, None, None, None, (), self.sequence, age, "", (), self.epoch)  # noqa: FBT003
        return _strongest(found, self.sequence, age, self.epoch)

    def live(self, first: int = 0) -> Iterator[tuple[int, float]]:
        """The numbers of the restrictions held, from `first` on, each with when it began."""
        for number, since in self._packed.from_number(first):
            if number not in self._packed.outdated and number not in self._newer:
                yield number, since
        yield from ((entry.number, entry.since) for entry in self._newer.values() if entry.number >= first)

    def since(self, number: int) -> float | None:
        """When the restriction with this number began; None where none is held."""
        if (entry := self._newer.get(number)) is not None:
            return entry.since
        is_packed = number in self._packed and number not in self._packed.outdated
        return next(self._packed.from_number(number))[1] if is_packed else None

    def entry(self, number: int) -> RestrictionEntry:
        """A restriction that is held. Of a snapshot's, only the name that it is against is remembered."""
        return self._newer.get(number) or self._packed.entry(number)

    def _find(self, name: str, now: float, found: dict[int, EntryTerms]) -> None:
        self._packed.find(name, now, found)
        # Afterwards, since what is published again stands here before it is outdated there.
        if newer := self._by_name.get(name):
            found |= {entry.number: entry.terms for entry in newer if entry.since <= now < entry.until}

    def _with_customers(
        self, decision: Decision, found: Mapping[int, EntryTerms], names: Sequence[str], now: float
    ) -> Decision:
        """Say whom limits are counted for by names that the restrictions cover: customers may send any others."""
        customers: dict[int, str] = {}
        for name in sorted(names, key=_precedence):
            covering: dict[int, EntryTerms] = {}
            self._find(name, now, covering)
            for number in covering:
                customers.setdefault(number, name)
        throttles = tuple(
            throttle._replace(customer=customers.get(throttle.number, ""))
            if found[throttle.number].each_account
            else throttle
            for throttle in decision.throttles
        )
        return decision._replace(throttles=throttles)


def _precedence(name: str) -> int:
    """Of names of one customer: the account's comes before those of its keys, its organisation's after them."""
    return 0 if name.startswith("account:") else 2 if name.startswith("organisation:") else 1


def _strongest(found: Mapping[int, EntryTerms], sequence: int, age: float, epoch: str) -> Decision:
    if len(found) == 1:
        [(number, terms)] = found.items()
        kind, reason, requests, tokens, withheld, denies, _ = terms
        allowed = kind not in DENYING if denies is None else not denies
        throttles: tuple[Throttle, ...] = () if requests is None else (Throttle(number, requests),)
        return Decision(allowed, kind, reason, number, requests, tokens, withheld, sequence, age, "", throttles, epoch)
    number, terms = max(found.items(), key=lambda one: (*_strength(one[1]), one[0]))
    throttles = tuple(
        Throttle(number, t.requests_per_minute) for number, t in found.items() if t.requests_per_minute is not None
    )
    all_tokens = [t.tokens_per_minute for t in found.values() if t.tokens_per_minute is not None]
    return Decision(
        allowed=not _strength(terms)[0],
        kind=terms.kind,
        reason=terms.reason,
        number=number,
        requests_per_minute=min((throttle.requests_per_minute for throttle in throttles), default=None),
        tokens_per_minute=min(all_tokens, default=None),
        withheld=tuple(sorted({what for t in found.values() for what in t.withheld})),
        sequence=sequence,
        age=age,
        throttles=throttles,
        epoch=epoch,
    )


def _strength(terms: EntryTerms) -> tuple[bool, int]:
    """Whether access is denied, then the order of the kinds; a kind that is not known comes before all others."""
    denies = terms.kind in DENYING if terms.denies is None else terms.denies
    return denies, KINDS.index(terms.kind) if terms.kind in KINDS else -1
