"""The last good snapshot on disk, for a gateway that starts while Stillwatch cannot be reached.

`snapshot` holds a snapshot as it was received, `changes` the messages that followed; each with its signature before
it, and checked again when it is read. `held-…` are the same of an epoch that ended, `confirmed` says when what is kept
was last known to be the newest.
"""

import fcntl
import hashlib
import io
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from stillwatch_gateway.entries import RestrictionEntry
from stillwatch_gateway.epochs import parse_epoch
from stillwatch_gateway.kept_messages import LoadedSnapshot, kept_entries, load_kept, read_kept_changes
from stillwatch_gateway.messages import BadMessageError
from stillwatch_gateway.moments import Moment, read_moment
from stillwatch_gateway.signed import HEAD_BYTES

TRIED_EVERY: Final = 60.0  # seconds, after a problem
# A process that only reads takes the place of the one that writes, which may have ended.
LOCK_TRIED_EVERY: Final = 5.0
HELD: Final = "held-"  # files of an epoch that ended, of which something is still refused


class StoreError(Exception):
    """The disk did not take something; `reason` is what the operating system said."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Confirmation(NamedTuple):
    """When what is kept was last known to be the newest, and which plans are refused without Stillwatch."""

    at: Moment
    closed: frozenset[str]


class SnapshotStore:
    """A folder with the last good snapshot and what followed. One process writes; others that share it only read.

    `problem` says in one line what is wrong with it, and is blank while nothing is. Whatever is, no method but
    `keep_snapshot` and `keep_changes` raises OSError: a gateway goes on in memory.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        self.folder, self._key = folder, key
        self._snapshot, self._changes, self._confirmed = folder / "snapshot", folder / "changes", folder / "confirmed"
        self._lock: BinaryIO | None = None
        self._tried_at = float("-inf")
        self.writes = False
        self.needs_snapshot = False  # before changes can be added to what is kept
        self.open()

    def open(self) -> None:
        self.problem = self._open()

    def _open(self) -> str:
        """Make the folder ready, again after a problem; return what is wrong with it."""
        self.close()
        self.writes = False
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for file in (self._snapshot, self._changes, self._confirmed, self.folder / "lock"):
                _move_folder_away(file)
            self._lock = (self.folder / "lock").open("ab")
        except OSError as error:
            return f"The folder cannot be used: {_why(error)}."
        with suppress(OSError):  # another process writes
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.writes = True
        return ""

    def close(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def is_read_only(self) -> bool:
        """Whether another process keeps this copy."""
        return self._lock is not None and not self.writes

    @property
    def changes_bytes(self) -> int:
        try:
            return self._changes.stat().st_size
        except OSError:
            return 0

    def load(self) -> LoadedSnapshot | None:
        """What was known last; None where nothing usable is kept, and then `problem` says why."""
        try:
            return load_kept(self._snapshot, self._changes, self._key)
        except FileNotFoundError:
            self.problem = self.problem or "No snapshot is kept."
        except OSError as error:
            self.problem = self.problem or f"The snapshot cannot be read: {_why(error)}."
        except BadMessageError as error:
            self.problem = f"The snapshot is damaged: {error}."
        return None

    def load_held_over(self) -> list[LoadedSnapshot]:
        """What was known of epochs that ended."""
        found = []
        for snapshot in sorted(self.folder.glob(f"{HELD}*-snapshot")):
            with suppress(OSError, BadMessageError):
                found.append(load_kept(snapshot, _changes_of(snapshot), self._key))
        return found

    def confirmed(self) -> Confirmation | None:
        try:
            moment, _, plans = self._confirmed.read_text("utf-8").partition("\n")
            at, closed = read_moment(moment), json.loads(plans)
        except (OSError, ValueError, RecursionError):
            return None
        return Confirmation(at, frozenset(map(str, closed))) if at is not None and isinstance(closed, list) else None

    def published_entries(self, since: Mapping[int, float]) -> dict[int, RestrictionEntry]:
        """Restrictions that ended with their epoch, as they were published last, as far as that is kept.

        `since` says of each number when its restriction began, which tells it from any other of the same number.
        """
        found: dict[int, RestrictionEntry] = {}
        held = sorted(self.folder.glob(f"{HELD}*-snapshot"))
        # Last what is kept of now: the process that writes may not have put it aside yet.
        for snapshot, kept in (*((one, _changes_of(one)) for one in held), (self._snapshot, self._changes)):
            wanted = since.keys() - found.keys()
            with suppress(OSError, ValueError, RecursionError):
                for entry in kept_entries(snapshot, kept, self._key, wanted) if wanted else ():
                    if entry.since != since[entry.number]:
                        continue
                    if entry.is_whole:
                        found[entry.number] = entry
                    elif entry.number in found:
                        found[entry.number] = found[entry.number].with_names_changed(entry)
        return found

    def kept_changes(self) -> Iterator[bytes]:
        """The messages kept since the snapshot, in order. Raises CorruptFileError at the first that is damaged."""
        return read_kept_changes(self._changes, self._key)

    def keep_snapshot(self, received: Path, *, ended_epoch: str | None = None) -> None:
        """Let a snapshot that was checked take the place of the one before; changes that it holds are dropped.

        What was kept of the `ended_epoch` stays beside it, where one is given. Raises OSError.
        """
        if not self.writes:
            return
        with received.open("rb") as file:
            os.fsync(file.fileno())
        if ended_epoch is not None:
            name = hashlib.sha256(ended_epoch.encode()).hexdigest()[:16]
            held = self.folder / f"{HELD}{name}-snapshot"
            with suppress(FileNotFoundError):
                self._changes.replace(_changes_of(held))
                self._snapshot.replace(held)
        _move_folder_away(self._snapshot)
        received.replace(self._snapshot)
        _move_folder_away(self._changes)
        with self._changes.open("wb") as file:
            _to_disk(file)
        self.problem, self.needs_snapshot = "", False

    def epoch_beside(self, epoch: str) -> str | None:
        """The epoch of the snapshot that is kept, where that is another; None where it is not, or none is kept."""
        try:
            with self._snapshot.open("rb") as lines:
                lines.readline(HEAD_BYTES)
                kept = parse_epoch(json.loads(lines.readline())).identifier
        except (OSError, ValueError, AttributeError, RecursionError):
            return None
        return kept if kept != epoch else None

    def forget_held_over(self) -> None:
        """Drop what is kept of epochs that ended."""
        for file in self.folder.glob(f"{HELD}*") if self.writes else ():
            with suppress(OSError):
                file.unlink()

    @property
    def _is_added_to(self) -> bool:
        return self.writes and not self.problem and not self.needs_snapshot

    def keep_changes(self, body: bytes, digest: str, signed: str) -> None:
        """Append a message that was checked. Raises OSError; what is kept then ends before it."""
        if not self._is_added_to:  # after a gap, nothing that follows could be read
            return
        size = self.changes_bytes
        try:
            with self._changes.open("ab") as file:
                file.write(f"{digest} {signed} {len(body)}\n".encode() + body + b"\n")
                _to_disk(file)
        except OSError:
            with suppress(OSError):
                os.truncate(self._changes, size)
            raise

    def keep_confirmed(self, confirmed: Confirmation) -> None:
        """Note when what is kept was known to be the newest; where that cannot be written, it stays older."""
        if not self._is_added_to:
            return
        with suppress(OSError):
            plans = json.dumps(sorted(confirmed.closed))
            self._confirmed.write_text(f"{confirmed.at.text()}\n{plans}", "utf-8")

    def needs_repair(self) -> bool:
        """Whether a new snapshot may mend what is kept, or go on with what a process kept that has ended; tried again
        now and then.
        """
        if self._is_added_to:
            return False
        pause = TRIED_EVERY if self.problem else LOCK_TRIED_EVERY
        if time.monotonic() - self._tried_at < pause:
            return False
        self._tried_at = time.monotonic()
        problem = self._open()
        self.needs_snapshot = True
        # In one step: another thread may read it meanwhile, to say it loudly.
        self.problem = problem or (self.problem if self.writes else "")
        return self.writes

    def failed(self, error: OSError) -> None:
        """Note that the disk did not take something."""
        self.problem = f"The disk did not take what was to be kept: {_why(error)}."


def _to_disk(file: BinaryIO | io.BufferedWriter) -> None:
    file.flush()
    os.fsync(file.fileno())


def _changes_of(held_snapshot: Path) -> Path:
    return held_snapshot.with_name(held_snapshot.name.removesuffix("snapshot") + "changes")


def _move_folder_away(file: Path) -> None:
    """Let a folder that stands where a file is to be written make place, with whatever is in it."""
    if file.is_dir() and not file.is_symlink():
        file.rename(file.with_name(f"{file.name}.moved-away-{time.time_ns()}"))


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__)[:100]
