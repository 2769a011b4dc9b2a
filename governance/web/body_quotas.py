"""Limits on the request bodies that a process holds until they are answered: for each kind of sender, and each sender.

Each kind has a quota of its own, so that forms from strangers cannot crowd out those who show a service key.
"""

from collections import Counter
from collections.abc import Hashable
from typing import NamedTuple


class BodyQuota(NamedTuple):
    """How many bodies of one kind of sender are kept at once, and how many bytes of them."""

    kind: str
    bodies: int
    bodies_of_a_sender: int
    bytes: int
    bytes_of_a_sender: int


class SenderQuotaFullError(Exception):
    """One sender has used up its quota."""


class QuotaFullError(Exception):
    """All senders of a kind together have used up their quota."""


class BodyCounter:
    """Counts the bodies that are kept."""

    def __init__(self) -> None:
        self.bodies, self.bytes = Counter[Hashable](), Counter[Hashable]()

    def take(self, quota: BodyQuota, sender: str) -> "CountedBody":
        """Raises SenderQuotaFullError, QuotaFullError."""
        body = CountedBody(self, quota, sender)
        try:
            body.begin()
        except (SenderQuotaFullError, QuotaFullError):
            body.free()
            raise
        return body


class CountedBody:
    """One body that counts against its quota, from its first byte until it is answered."""

    def __init__(self, counter: BodyCounter, quota: BodyQuota, sender: str) -> None:
        self._counter, self._quota = counter, quota
        self._counted_as: tuple[Hashable, Hashable] = (quota.kind, (quota.kind, sender))
        self._bodies = self.size = 0

    def begin(self) -> None:
        """Raises SenderQuotaFullError, QuotaFullError."""
        self._bodies = 1
        _add(self._counter.bodies, self._counted_as, 1)
        self._check(self._counter.bodies, self._quota.bodies, self._quota.bodies_of_a_sender)

    def add(self, size: int) -> None:
        """Count bytes that came. Raises SenderQuotaFullError, QuotaFullError."""
        self.size += size
        _add(self._counter.bytes, self._counted_as, size)
        self._check(self._counter.bytes, self._quota.bytes, self._quota.bytes_of_a_sender)

    def _check(self, counted: Counter[Hashable], most: int, most_of_a_sender: int) -> None:
        of_all, of_sender = self._counted_as
        if counted[of_sender] > most_of_a_sender:
            raise SenderQuotaFullError
        if counted[of_all] > most:
            raise QuotaFullError

    def free(self) -> None:
        """May be called again."""
        _add(self._counter.bodies, self._counted_as, -self._bodies)
        _add(self._counter.bytes, self._counted_as, -self.size)
        self._bodies = self.size = 0


def _add(counted: Counter[Hashable], names: tuple[Hashable, Hashable], number: int) -> None:
    for name in names:
        counted[name] += number
        if not counted[name]:
            del counted[name]
