"""Which bodies a process keeps at once until they are answered: by kind of sender, and by sender.

Each kind has a share of its own, so that forms of strangers take no place from those who show a service key.
"""

from collections import Counter
from collections.abc import Hashable
from typing import NamedTuple


class Share(NamedTuple):
    """How many bodies of one kind of sender are kept at once, and how many bytes of them."""

    kind: str
    bodies: int
    bodies_of_a_sender: int
    bytes: int
    bytes_of_a_sender: int


class SenderIsFullError(Exception):
    """One sender has as many bodies here as it may."""


class ShareIsFullError(Exception):
    """All senders of a kind together have as many bodies here as they may."""


class BodyPlaces:
    """Counts the bodies that are kept."""

    def __init__(self) -> None:
        self.bodies, self.bytes = Counter[Hashable](), Counter[Hashable]()

    def take(self, share: Share, sender: str) -> "Place":
        """Raises SenderIsFullError, ShareIsFullError."""
        place = Place(self, share, sender)
        try:
            place.begin()
        except (SenderIsFullError, ShareIsFullError):
            place.free()
            raise
        return place


class Place:
    """Where one body is kept, from its beginning until it is answered."""

    def __init__(self, places: BodyPlaces, share: Share, sender: str) -> None:
        self._places, self._share = places, share
        self._counted_as: tuple[Hashable, Hashable] = (share.kind, (share.kind, sender))
        self._bodies = self.size = 0

    def begin(self) -> None:
        """Raises SenderIsFullError, ShareIsFullError."""
        self._bodies = 1
        _add(self._places.bodies, self._counted_as, 1)
        self._check(self._places.bodies, self._share.bodies, self._share.bodies_of_a_sender)

    def add(self, size: int) -> None:
        """Count bytes that came. Raises SenderIsFullError, ShareIsFullError."""
        self.size += size
        _add(self._places.bytes, self._counted_as, size)
        self._check(self._places.bytes, self._share.bytes, self._share.bytes_of_a_sender)

    def _check(self, counted: Counter[Hashable], most: int, most_of_a_sender: int) -> None:
        of_all, of_sender = self._counted_as
        if counted[of_sender] > most_of_a_sender:
            raise SenderIsFullError
        if counted[of_all] > most:
            raise ShareIsFullError

    def free(self) -> None:
        """May be called again."""
        _add(self._places.bodies, self._counted_as, -self._bodies)
        _add(self._places.bytes, self._counted_as, -self.size)
        self._bodies = self.size = 0


def _add(counted: Counter[Hashable], names: tuple[Hashable, Hashable], number: int) -> None:
    for name in names:
        counted[name] += number
        if not counted[name]:
            del counted[name]
