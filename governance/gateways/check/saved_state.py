"""What is in force and who may ask, saved on disk for a process of the check that starts while PostgreSQL is away.

The files are those of a gateway's client (`stillwatch_gateway.disk`), signed with a key derived from SECRET_KEY, and
two things more: `keys` holds the usable service keys, by their digests, and each change in `changes` says when it was
made, which distinguishes a change from another that got the same number.
"""

import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from governance.gateways.check.sql import StoredChange, UsableKey
from stillwatch_gateway.disk import Confirmation, SnapshotStore
from stillwatch_gateway.epochs import Epoch
from stillwatch_gateway.messages import BadMessageError, signature
from stillwatch_gateway.moments import Moment
from stillwatch_gateway.restriction_set import RestrictionSet
from stillwatch_gateway.signed import HEAD_BYTES, verify_body

# Of an age that nothing tells: as the API says it, and more than any operator waits.
LONGEST_AGE: Final = 2.0**31
SIGNED_FOR: Final = b"stillwatch check state 1"


class SavedState(NamedTuple):
    """What the process knew that saved it. `recent` are its newest changes, `age` for how many seconds nobody has seen
    whether there is anything newer, and `faults` sentences about what could not be read.
    """

    restricted: RestrictionSet
    epoch: Epoch
    recent: list[StoredChange]
    keys: dict[bytes, UsableKey]
    age: float
    faults: tuple[str, ...]


class _SavedKey(msgspec.Struct):
    digest: str
    id: UUID
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    networks: tuple[str, ...] = ()


class _SavedChange(msgspec.Struct):
    sequence: int
    at: datetime
    restriction: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    ended: int = 0  # the number of a restriction that ended; else there is a `restriction`


class _SavedChanges(msgspec.Struct):
    changes: list[_SavedChange]


class _Numbered(msgspec.Struct):
    number: int


class StateStore:
    """A folder with the saved state. Of several processes that share it one writes, and the others only read."""

    def __init__(self, folder: Path, secret_key: str) -> None:
        self.folder = folder
        self._key = hmac.digest(secret_key.encode(), SIGNED_FOR, "sha256")
        self._size_of_snapshot = 0  # of the changes that were saved with it

    @cached_property
    def _store(self) -> SnapshotStore:
        """Made by the process that uses it first, which may become the one that writes."""
        return SnapshotStore(self.folder, self._key)

    def open(self) -> None:
        """Make the folder ready, and become the process that writes where there is none."""
        self._store.open()

    def close(self) -> None:
        self._store.close()

    @property
    def can_write(self) -> bool:
        return self._store.writes and not self._store.problem

    @property
    def problem(self) -> str:
        """What is wrong with the folder, in one line; blank while nothing is."""
        return self._store.problem

    @property
    def size_since_snapshot(self) -> int:
        """Of the changes saved since the newest snapshot, in bytes."""
        return self._store.changes_bytes - self._size_of_snapshot

    def load(self) -> SavedState | None:
        """Return what was saved last; None where any of it is missing or damaged."""
        loaded, confirmed = self._store.load(), self._store.confirmed()
        keys = self._load_keys()
        if loaded is None or keys is None:
            return None
        age = confirmed.at.seconds_until(Moment.now()) if confirmed is not None else LONGEST_AGE
        recent = _recent_changes(self._store, loaded.restricted.sequence)
        faults = loaded.faults
        return SavedState(loaded.restricted, loaded.head.epoch, recent, keys, min(age, LONGEST_AGE), faults)

    def save_snapshot(self, lines: Iterable[bytes], changes: Iterable[bytes]) -> None:
        """Save everything in force, with the changes that led there. Raises OSError."""
        file = self.folder / "snapshot.new"
        with file.open("wb") as snapshot:
            hashed = hashlib.sha256()
            snapshot.write(_signature_line(self._key, hashed.hexdigest()))  # of the same length as the true one
            for line in lines:
                hashed.update(line)
                snapshot.write(line)
            snapshot.seek(0)
            snapshot.write(_signature_line(self._key, hashed.hexdigest()))
        self._store.keep_snapshot(file)
        self.save_changes(changes)
        self._size_of_snapshot = self._store.changes_bytes

    def save_changes(self, bodies: Iterable[bytes]) -> None:
        """Raises OSError."""
        for body in bodies:
            digest = hashlib.sha256(body).hexdigest()
            self._store.keep_changes(body, digest, signature(self._key, digest))

    def save_keys(self, keys: Iterable[UsableKey]) -> None:
        """Let these usable service keys take the place of those saved before. Raises OSError."""
        saved = [
            _SavedKey(key.digest.hex(), key.id, key.name, key.scopes, key.expires_at, tuple(map(str, key.networks)))
            for key in keys
        ]
        body = msgspec.json.encode(saved)
        file = self.folder / "keys.new"
        with file.open("wb") as written:
            written.write(_signature_line(self._key, hashlib.sha256(body).hexdigest()) + body)
            written.flush()
            os.fsync(written.fileno())
        file.replace(self.folder / "keys")

    def save_confirmed(self, at: Moment, closed_plans: Sequence[str]) -> None:
        """Save when what is saved was last known to be the newest."""
        self._store.keep_confirmed(Confirmation(at, frozenset(closed_plans)))

    def failed(self, error: OSError) -> None:
        """Note that the disk did not take something."""
        self._store.failed(error)

    def _load_keys(self) -> dict[bytes, UsableKey] | None:
        try:
            with (self.folder / "keys").open("rb") as file:
                digest, signed = file.readline(HEAD_BYTES).decode("ascii").split()
                body = file.read()
            verify_body(body, digest, signed, self._key)
            keys = [_usable_key(one) for one in msgspec.json.decode(body, type=list[_SavedKey])]
        except (OSError, ValueError, BadMessageError, msgspec.MsgspecError):
            return None
        return {key.digest: key for key in keys}


def _usable_key(saved: _SavedKey) -> UsableKey:
    """Raises ValueError."""
    networks = tuple(map(ip_network, saved.networks))
    return UsableKey(bytes.fromhex(saved.digest), saved.id, saved.name, saved.scopes, saved.expires_at, networks)


def _signature_line(key: bytes, digest: str) -> bytes:
    return f"{digest} {signature(key, digest)}\n".encode("ascii")


def _recent_changes(store: SnapshotStore, upto: int) -> list[StoredChange]:
    """The changes that were saved, up to the newest that the restrictions include and as far as they can be read."""
    recent: list[StoredChange] = []
    with suppress(BadMessageError, msgspec.MsgspecError):
        for body in store.kept_changes():
            recent += _read_changes(body)
    return [change for change in recent if change.number <= upto]


def _read_changes(body: bytes) -> Iterator[StoredChange]:
    for change in msgspec.json.decode(body, type=_SavedChanges).changes:
        if isinstance(change.restriction, msgspec.Raw):
            number = msgspec.json.decode(change.restriction, type=_Numbered).number
            yield StoredChange(change.sequence, number, bytes(change.restriction).decode(), change.at)
        else:
            yield StoredChange(change.sequence, change.ended, None, change.at)
