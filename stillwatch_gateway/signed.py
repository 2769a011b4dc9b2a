"""Snapshots and changes with the signature that came with them: nothing is taken in that does not fit it."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

from stillwatch_gateway.messages import (
    LONGEST_LINE,
    BadMessageError,
    ChangesMessage,
    SnapshotHead,
    check_signature,
    read_snapshot,
)
from stillwatch_gateway.restriction_set import RestrictionSet

HEAD_BYTES: Final = 200
PIECE: Final = 2**18


def load_snapshot(file: Path, key: bytes) -> tuple[RestrictionSet, SnapshotHead]:
    """What a snapshot with its signature before it says. Raises OSError, BadMessageError."""
    with file.open("rb") as lines:
        return read_signed_snapshot(lines, key)


def read_signed_snapshot(lines: BinaryIO, key: bytes) -> tuple[RestrictionSet, SnapshotHead]:
    """`load_snapshot` from an open file. Raises OSError, BadMessageError."""
    words = lines.readline(HEAD_BYTES).split()
    if len(words) != 2:
        raise BadMessageError("the signature is missing")
    digest, signed = (word.decode("ascii", "replace") for word in words)
    start = lines.tell()
    hashed = hashlib.sha256()
    while piece := lines.read(PIECE):
        hashed.update(piece)
    if hashed.hexdigest() != digest:
        raise BadMessageError("the checksum does not fit")
    check_signature(key, digest, signed)
    lines.seek(start)
    return parse_snapshot(lines)


def parse_snapshot(lines: BinaryIO) -> tuple[RestrictionSet, SnapshotHead]:
    """Raises BadMessageError."""
    faults: list[str] = []
    head, entries = read_snapshot(_lines_of_bounded_length(lines), faults)
    return RestrictionSet(entries, head.sequence, head.epoch.identifier), head._replace(faults=tuple(faults))


def verify_body(body: bytes, digest: str | None, signed: str | None, key: bytes) -> None:
    """Raises BadMessageError where the body is not what was signed."""
    if digest is None or hashlib.sha256(body).hexdigest() != digest:
        raise BadMessageError("the checksum does not fit")
    check_signature(key, digest, signed)


def apply_changes(restricted: RestrictionSet, changes: ChangesMessage) -> None:
    """Raises OutOfOrderError at the first that does not follow on what is known; those before it count."""
    for number, entry, ended in changes.changes:
        restricted.change(number, entry, ended)


def _lines_of_bounded_length(lines: BinaryIO) -> Iterable[bytes]:
    while line := lines.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise BadMessageError("a line is too long")
        yield line
