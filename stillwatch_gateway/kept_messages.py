"""Reads the files that a store keeps: a snapshot, and the messages that followed."""

import json
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from stillwatch_gateway.entries import RestrictionEntry
from stillwatch_gateway.entry_reader import read_entry
from stillwatch_gateway.messages import MOST_CHANGES_BYTES, BadMessageError, SnapshotHead, read_changes
from stillwatch_gateway.restriction_set import OutOfOrderError, RestrictionSet
from stillwatch_gateway.signed import HEAD_BYTES, apply_changes, load_snapshot, verify_body


class CorruptFileError(BadMessageError):
    """What is kept ends in the middle of a message, or one is damaged."""


class LoadedSnapshot(NamedTuple):
    """The restrictions of a snapshot with the changes after it, what was said last at their head, and what could not
    be read. With `ends_early` further changes are kept, which cannot be read: none can be added to them.
    """

    restricted: RestrictionSet
    head: SnapshotHead
    faults: tuple[str, ...]
    ends_early: bool = False


def load_kept(snapshot: Path, changes_file: Path, key: bytes) -> LoadedSnapshot:
    """Return what a snapshot and the changes after it say. Raises OSError, BadMessageError."""
    restricted, head = load_snapshot(snapshot, key)
    faults = head.faults
    try:
        for body in read_kept_changes(changes_file, key):
            changes = read_changes(body)
            if changes.sequence <= restricted.sequence:
                continue
            apply_changes(restricted, changes)
            head = head._replace(closed=changes.closed, epoch=changes.epoch)
            faults += changes.faults
    except CorruptFileError:  # a process was ended while it wrote
        return LoadedSnapshot(restricted, head, faults, ends_early=True)
    except (BadMessageError, OutOfOrderError) as error:
        fault = f"What was kept after change {restricted.sequence}: {error}"
        return LoadedSnapshot(restricted, head, (*faults, fault), ends_early=True)
    return LoadedSnapshot(restricted, head, faults)


def read_kept_changes(changes_file: Path, key: bytes) -> Iterator[bytes]:
    """The messages of a file, in order. Raises CorruptFileError at the first that is damaged."""
    try:
        with changes_file.open("rb") as file:
            while head := file.readline(HEAD_BYTES):
                digest, signed, size = head.decode("ascii").split()
                if int(size) > MOST_CHANGES_BYTES:
                    raise CorruptFileError("a message is too long")
                body = file.read(int(size))
                verify_body(body, digest, signed, key)
                yield body
                file.readline(1)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise CorruptFileError(str(error)) from error


def kept_entries(snapshot: Path, changes_file: Path, key: bytes, wanted: Container[int]) -> Iterator[RestrictionEntry]:
    """Restrictions of these numbers as they were sent, oldest first. Raises OSError, ValueError."""
    with snapshot.open("rb") as lines:
        lines.readline(HEAD_BYTES)
        next(lines)
        yield from _entries((json.loads(line) for line in lines), wanted)
    for body in read_kept_changes(changes_file, key):
        yield from _entries((change.get("restriction") for change in json.loads(body)["changes"]), wanted)


def _entries(payloads: Iterable[Any], wanted: Container[int]) -> Iterator[RestrictionEntry]:
    for one in payloads:
        if isinstance(one, dict) and one.get("number") in wanted and (entry := read_entry(one).entry) is not None:
            yield entry
