"""Save the state of a process of the check from its own thread, so that a slow disk delays no answer."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

import psycopg

from governance.gateways.check import feed, sql
from governance.gateways.check.replica import REMEMBERED, RestrictionReplica
from governance.gateways.check.saved_state import StateStore
from governance.gateways.check.sql import StoredChange, UsableKey
from stillwatch_gateway.epochs import Epoch
from stillwatch_gateway.moments import Moment

logger = logging.getLogger(__name__)

SAVED_EVERY: Final = 0.1
# A process that does not write takes the place of the one that did, which may have ended.
OPENED_EVERY: Final = 5.0
PROBLEM_TRIED_EVERY: Final = 60.0
SNAPSHOT_AT_BYTES: Final = 32 * 2**20
LONGEST_MESSAGE: Final = 8 * 2**20  # in bytes; gateways' clients and this read up to eight times as many


class ReplicaStateWriter:
    """Save what the replica knows: a snapshot, the changes after it, the service keys, and when these were current."""

    def __init__(
        self,
        store: StateStore,
        replica: RestrictionReplica,
        clock: Callable[[], datetime],
        *,
        closed_plans: Sequence[str],
    ) -> None:
        self._store, self._replica, self._clock, self._closed_plans = store, replica, clock, list(closed_plans)
        self._saved_epoch: Epoch | None = None  # None while a snapshot is needed
        self._saved_upto = 0
        self._saved_keys: dict[bytes, UsableKey] | None = None
        self._opened_at, self._logged = float("-inf"), ""
        self._called, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._save_on, name="saved state", daemon=True)

    def start(self) -> None:
        self._store.open()
        self._replica.listen(self._called.set)
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._called.set()
        self._thread.join()

    def _save_on(self) -> None:
        while not self._ended.is_set():
            self._called.wait()
            self._called.clear()
            try:
                self._save()
            except psycopg.Error as error:
                logger.info("Cannot read the restrictions to save them: %s", type(error).__name__)
            except OSError as error:
                self._store.failed(error)
            except Exception:
                logger.exception("Saving the restrictions failed")
                self._saved_epoch = None
            self._log_problem()
            self._ended.wait(SAVED_EVERY)
        self._store.close()

    def _save(self) -> None:
        """Raises OSError, psycopg.Error."""
        replica = self._replica
        if not (replica.is_loaded and replica.is_connected and self._can_write()):
            return
        # Before the changes are looked at: these are then at least as new.
        now, age = Moment.now(), replica.age
        if self._saved_keys != (keys := replica.keys):
            self._store.save_keys(keys.values())
            self._saved_keys = keys
        sequence = replica.restricted.sequence
        changes = replica.changes(self._saved_upto, sequence)
        if changes is None or self._saved_epoch != replica.epoch or self._store.size_since_snapshot > SNAPSHOT_AT_BYTES:
            self._save_snapshot()
            return  # when that was current is not known before the next look
        if changes:
            self._store.save_changes(self._bodies(changes, replica.epoch))
            self._saved_upto = sequence
        self._store.save_confirmed(Moment(now.wall - age, now.running - age, now.boot), self._closed_plans)

    def _can_write(self) -> bool:
        """Whether this process is the one that writes, tried again now and then where it is not."""
        if self._store.can_write:
            return True
        pause = PROBLEM_TRIED_EVERY if self._store.problem else OPENED_EVERY
        if time.monotonic() - self._opened_at < pause:
            return False
        self._opened_at = time.monotonic()
        self._store.open()
        self._saved_epoch = self._saved_keys = None
        return self._store.can_write

    def _save_snapshot(self) -> None:
        """Save everything, as one moment of the database shows it, with the changes remembered from before."""
        self._saved_epoch = None
        with sql.connect() as database, sql.open_snapshot(database) as taken:
            recent = sql.newest_changes(database, REMEMBERED)
            lines = feed.snapshot_lines(taken, self._closed_plans, self._clock())
            self._store.save_snapshot(lines, self._bodies(recent, taken.epoch))
        self._saved_epoch, self._saved_upto = taken.epoch, taken.sequence

    def _bodies(self, changes: Sequence[StoredChange], epoch: Epoch) -> Iterator[bytes]:
        """The changes as messages, each short enough to be read and without the gap where an epoch began."""
        start, size = 0, 0
        for place, change in enumerate(changes):
            size += len(change.payload or "")
            is_last = place == len(changes) - 1 or changes[place + 1].number != change.number + 1
            if is_last or size > LONGEST_MESSAGE:
                part = changes[start : place + 1]
                yield feed.changes_body(
                    part[0].number - 1, change.number, part, self._closed_plans, epoch=epoch, age=0, with_times=True
                )
                start, size = place + 1, 0

    def _log_problem(self) -> None:
        """Say once what is wrong with the folder, and what follows."""
        problem = self._store.problem
        if problem and problem != self._logged:
            logger.error(
                "%s What is in force is not saved: a process of the check that starts while PostgreSQL cannot be "
                "reached answers 503. Let this process write regular files in %s (CHECK_FOLDER), with room on the "
                "disk; it is tried again every %.0f s.",
                problem,
                self._store.folder,
                PROBLEM_TRIED_EVERY,
            )
        self._logged = problem
