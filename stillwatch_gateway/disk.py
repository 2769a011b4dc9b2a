"""The last good word of Stillwatch on disk: a gateway that starts while it cannot be reached knows what it knew.

`snapshot` holds a snapshot as it was received, `changes` the messages that followed; each with its signature before
it, and checked again when it is read.
"""

import fcntl
import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from stillwatch_gateway.messages import (
    LONGEST_LINE,
    MOST_CHANGES_BYTES,
    BadMessageError,
    Changes,
    Head,
    check_signature,
    read_changes,
    read_snapshot,
)
from stillwatch_gateway.restricted import OutOfOrderError, Restricted

HEAD_BYTES: Final = 200


class Loaded(NamedTuple):
    """The restrictions of a snapshot, the plans that are refused without Stillwatch, and what could not be read."""

    restricted: Restricted
    closed: frozenset[str]
    faults: tuple[str, ...]


class Store:
    """A folder with the last good snapshot and what followed. One process writes; others that share it only read."""

    def __init__(self, folder: Path, key: bytes) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._snapshot, self._changes, self._key = folder / "snapshot", folder / "changes", key
        self._lock = (folder / "lock").open("ab")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.writes = True
        except OSError:
            self.writes = False

    def close(self) -> None:
        self._lock.close()

    @property
    def changes_bytes(self) -> int:
        return self._changes.stat().st_size if self._changes.exists() else 0

    def load(self) -> Loaded | None:
        """What was known last; None where nothing usable is kept."""
        try:
            restricted, head = load_snapshot(self._snapshot, self._key)
        except (OSError, BadMessageError):
            return None
        closed, faults = head.closed, head.faults
        for changes in self._kept_changes():
            if changes.after == restricted.sequence:
                try:
                    apply(restricted, changes)
                except OutOfOrderError:  # the rest comes with the next snapshot
                    break
                closed = changes.closed
                faults += changes.faults
        return Loaded(restricted, closed, faults)

    def _kept_changes(self) -> Iterator[Changes]:
        """In order, up to where the file was cut off, if it was."""
        try:
            with self._changes.open("rb") as file:
                while head := file.readline(HEAD_BYTES):
                    digest, signed, size = head.decode("ascii").split()
                    if int(size) > MOST_CHANGES_BYTES:
                        return
                    body = file.read(int(size))
                    verify(body, digest, signed, self._key)
                    yield read_changes(body)
                    file.readline(1)
        except (OSError, ValueError):
            return

    def keep_snapshot(self, received: Path) -> None:
        """Let a snapshot that was checked take the place of the one before; changes that it holds are dropped."""
        if not self.writes:
            return
        with received.open("rb") as file:
            os.fsync(file.fileno())
        received.replace(self._snapshot)
        with self._changes.open("wb") as file:
            _to_disk(file)

    def keep_changes(self, body: bytes, digest: str, signed: str) -> None:
        """Append a message that was checked."""
        if not self.writes:
            return
        with self._changes.open("ab") as file:
            file.write(f"{digest} {signed} {len(body)}\n".encode() + body + b"\n")
            _to_disk(file)


def load_snapshot(file: Path, key: bytes) -> tuple[Restricted, Head]:
    """What a snapshot with its signature before it says. Raises OSError, BadMessageError."""
    with file.open("rb") as lines:
        words = lines.readline(HEAD_BYTES).split()
        if len(words) != 2:
            raise BadMessageError("the signature is missing")
        digest, signed = (word.decode("ascii", "replace") for word in words)
        start = lines.tell()
        if hashlib.file_digest(lines, "sha256").hexdigest() != digest:
            raise BadMessageError("the checksum does not fit")
        check_signature(key, digest, signed)
        lines.seek(start)
        return parse_snapshot(lines)


def parse_snapshot(lines: BinaryIO) -> tuple[Restricted, Head]:
    """Raises BadMessageError."""
    faults: list[str] = []
    head, entries = read_snapshot(_bounded(lines), faults)
    return Restricted(entries, head.sequence), head._replace(faults=tuple(faults))


def verify(body: bytes, digest: str | None, signed: str | None, key: bytes) -> None:
    """Raises BadMessageError where the body is not what was signed."""
    if digest is None or hashlib.sha256(body).hexdigest() != digest:
        raise BadMessageError("the checksum does not fit")
    check_signature(key, digest, signed)


def apply(restricted: Restricted, changes: Changes) -> None:
    """Raises OutOfOrderError at the first that does not follow on what is known; those before it count."""
    for number, told, ended in changes.changes:
        restricted.change(number, told, ended)


def _bounded(lines: BinaryIO) -> Iterable[bytes]:
    while line := lines.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise BadMessageError("a line is too long")
        yield line


def _to_disk(file: BinaryIO | io.BufferedWriter) -> None:
    file.flush()
    os.fsync(file.fileno())
