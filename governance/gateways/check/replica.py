"""Keeps this process's copy of the restrictions current by LISTEN/NOTIFY; the table is the source of truth."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec
import psycopg

from governance.gateways.check import recovery, sql
from governance.gateways.check.listener import NotificationListener
from governance.gateways.check.saved_state import SavedState
from governance.gateways.check.sql import StoredChange, UsableKey
from governance.platform.notifications import CHANGES_CHANNEL, KEYS_CHANNEL
from stillwatch_gateway.entry_reader import read_entry, usable_entries
from stillwatch_gateway.epochs import Epoch
from stillwatch_gateway.restriction_set import OutOfOrderError, RestrictionSet

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

# Poll interval. A missed NOTIFY delays a change by at most this long, and `age` stays below it.
LOOKS_EVERY: Final = 1.0
KEYS_EVERY: Final = 1.0
PAUSE_AFTER_FAILURE: Final = 0.5
# Wake waiting clients at most this often; coalesces bursts of changes.
ANNOUNCE_EVERY: Final = 0.1
REMEMBERED: Final = 20_000
COMPACT_AT: Final = 50_000
FAULTS_LOGGED: Final = 10  # at a time
LOAD_AT_NEXT_LOOK: Final = -1  # in place of how many lost decisions were settled


class NoEpochError(Exception):
    """The database has no epoch any more: it is being restored, or is another one."""


class RestrictionReplica:
    """The set that the hot check answers from, and the newest changes for the feed. One thread keeps both fresh."""

    def __init__(
        self,
        clock: Clock,
        connect: Callable[[], sql.Connection] = sql.connect,
        *,
        on_new_epoch: Callable[[], None] = lambda: None,
        saved_state: Callable[[], SavedState | None] = lambda: None,
    ) -> None:
        self._clock, self._connect, self._on_new_epoch, self._saved_state = clock, connect, on_new_epoch, saved_state
        self._is_saved_state_tried = False
        self.restricted = RestrictionSet()
        self.announced = 0  # newest sequence number that waiting clients were woken for
        self.faults = 0  # changes that could not be read, or only in part, since the restrictions were loaded
        self.epoch = Epoch()
        self.keys: dict[bytes, UsableKey] = {}
        self.propagations: deque[tuple[int, datetime]] = deque(maxlen=1_000)
        self._confirmed_at = float("-inf")
        self._recent: deque[StoredChange] = deque(maxlen=REMEMBERED)
        self._settled = 0  # how many lost decisions a person had settled when the epoch was read
        self.looks_begun = self.looks_done = 0
        self.is_connected = self._is_failing = False
        self._listeners: list[Callable[[], None]] = []
        self._keys_outdated = False
        self._keys_read_at = float("-inf")
        self._loaded, self._ended = threading.Event(), threading.Event()
        self._listener = NotificationListener(self._ended)
        self._thread = threading.Thread(target=self._keep, name="restrictions", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._listener.wake()
        self._thread.join()
        self._listener.close()

    def listen(self, announce: Callable[[], None]) -> None:
        """Call this, from the thread, whenever there are new changes or keys, or a look is done."""
        self._listeners.append(announce)

    def request_read(self) -> int:
        """Have the rows read again soon. What is committed by now is known once `looks_done` is the number returned."""
        number = self.looks_begun + 1
        self._keys_outdated = True
        self._listener.wake()
        return number

    @property
    def age(self) -> float:
        """Seconds since the rows were last seen to hold nothing newer."""
        return time.monotonic() - self._confirmed_at

    def wait_until_loaded(self, seconds: float) -> bool:
        return self._loaded.is_set() or self._loaded.wait(seconds)

    @property
    def is_loaded(self) -> bool:
        return self._loaded.is_set()

    def changes(self, after: int, upto: int) -> list[StoredChange] | None:
        """Those after one change and up to another; None where they are too long ago to be remembered."""
        if after >= upto:
            return []
        recent = list(self._recent)
        # Numbers are without gaps, but for where an epoch began.
        start = len(recent) - (recent[-1].number - after) if recent else -1
        if start < 0 or start >= len(recent) or recent[start].number != after + 1:
            return None
        found = recent[start : start + upto - after]
        return found if found[-1].number == upto else None

    def key(self, digest: bytes) -> UsableKey | None:
        """The usable service key with this digest, as of the last look."""
        return self.keys.get(digest)

    # The thread --------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        while not self._ended.is_set():
            try:
                with self._connect() as database:
                    self.is_connected = True
                    self._follow(database)
            except psycopg.Error as error:
                if not self._is_failing:
                    logger.warning("Cannot read the restrictions in force: %s", type(error).__name__)
                self._is_failing = True
            except NoEpochError:
                if not self._is_failing:
                    logger.error(  # noqa: TRY400 - where it was raised says nothing
                        "The database has no epoch of the feed: it is being restored, or is another one. What was in "
                        "force stays so. If this does not end, run `manage.py new_epoch` once the restore is complete."
                    )
                self._is_failing = True
            except Exception:
                logger.exception("Keeping the restrictions current failed")
            self.is_connected = False
            self._begin_with_saved_state()
            self._announce()
            self._ended.wait(PAUSE_AFTER_FAILURE)

    def _begin_with_saved_state(self) -> None:
        """Know what the process before this one knew, until the database can be read; compared with it then."""
        if self._loaded.is_set() or self._is_saved_state_tried:
            return
        self._is_saved_state_tried = True
        saved = self._saved_state()
        if saved is None:
            return
        self.restricted, self._recent = saved.restricted, deque(saved.recent, maxlen=REMEMBERED)
        self.epoch, self._settled, self.keys = saved.epoch, LOAD_AT_NEXT_LOOK, saved.keys
        self._note_faults(list(saved.faults))
        self._confirmed_at = time.monotonic() - saved.age
        self.announced = saved.restricted.sequence
        self._loaded.set()
        logger.warning("What was in force %.0f s ago, up to change %d, is read from disk", saved.age, self.announced)

    def _follow(self, database: sql.Connection) -> None:
        self._listener.listen(database, CHANGES_CHANNEL, KEYS_CHANNEL)
        # Before anybody is answered: else one usable key would be looked for, and others refused meanwhile.
        self._read_keys(database)
        if not self._loaded.is_set():
            recovery.ensure_first_epoch(now=self._clock())
            self._load(database)
        announced_at = float("-inf")
        while not self._ended.is_set():
            self._look(database)
            until_announced = announced_at + ANNOUNCE_EVERY - time.monotonic()
            if self.restricted.sequence > self.announced and until_announced <= 0:
                announced_at, until_announced = time.monotonic(), LOOKS_EVERY
                self._announce_changes()
            waits = LOOKS_EVERY if self.restricted.sequence == self.announced else max(until_announced, 0)
            if KEYS_CHANNEL in self._listener.wait(database, waits):
                self._keys_outdated = True

    def _look(self, database: sql.Connection) -> None:
        self.looks_begun += 1
        if self._keys_outdated or time.monotonic() - self._keys_read_at > KEYS_EVERY:
            self._read_keys(database)
        self._read_changes(database)
        self.looks_done, self._is_failing = self.looks_begun, False
        self._announce()

    def _announce(self) -> None:
        for announce in self._listeners:
            announce()

    def _load(self, database: sql.Connection) -> None:
        """Everything, as one moment of the database shows it; changes on the way there are remembered all the same."""
        with sql.open_snapshot(database) as taken:
            faults: list[str] = []
            entries = usable_entries((read_entry(msgspec.json.decode(payload)) for payload in taken.payloads), faults)
            restricted = RestrictionSet(entries, taken.sequence, taken.epoch.identifier)
            recent = deque(sql.newest_changes(database, REMEMBERED), maxlen=REMEMBERED)
        self.restricted, self._recent = restricted, recent
        self.epoch, self._settled = taken.epoch, taken.settled
        self.faults = 0
        self._note_faults(faults)
        self._confirm()
        if not self._loaded.is_set():
            self.announced = taken.sequence
            self._loaded.set()

    def _read_changes(self, database: sql.Connection) -> None:
        while True:
            newest = self._recent[-1] if self._recent else None
            state = sql.read_feed(database, newest=newest.number if newest else 0, after=self.restricted.sequence)
            if state.epoch is None:
                raise NoEpochError
            if state.epoch != self.epoch.identifier or (newest is not None and state.known != newest.fingerprint):
                self._change_epoch(database)
                return
            self._apply(state.newer)
            if len(state.newer) < sql.BATCH_SIZE:
                break
        self._confirm()
        changes_since_snapshot = self.restricted.changes_since_snapshot
        if state.settled != self._settled or (
            changes_since_snapshot > COMPACT_AT and changes_since_snapshot > len(self.restricted) // 10
        ):
            self._load(database)

    def _change_epoch(self, database: sql.Connection) -> None:
        """Go on with a database that is not the one that this process knows. Until all is loaded, the restrictions
        known before are in force.
        """
        recovery.recover_lost_changes(
            database, recent=list(self._recent), known=self.restricted, epoch=self.epoch, now=self._clock()
        )
        self._load(database)
        self._on_new_epoch()
        self.propagations.append((self.restricted.sequence, self._clock()))
        logger.warning(
            "What is in force is that of epoch %s, change %d",
            self.epoch.identifier,
            self.restricted.sequence,
        )

    def _apply(self, changes: list[StoredChange]) -> None:
        if not changes:
            return
        faults = []
        for change in changes:
            if change.payload is None:
                self.restricted.change(change.number, None, change.restriction)
                continue
            entry, fault = read_entry(msgspec.json.decode(change.payload))
            try:
                self.restricted.change(change.number, entry, None)
            except OutOfOrderError as error:  # other names for a restriction that could not be read
                self.restricted.change(change.number, None, None)
                fault = str(error)
            if fault:
                faults.append(fault)
        self._note_faults(faults)
        self._recent.extend(changes)
        self.propagations.append((self.restricted.sequence, self._clock()))

    def _note_faults(self, faults: list[str]) -> None:
        """A newer release may have written what this one cannot read."""
        self.faults += len(faults)
        for fault in faults[:FAULTS_LOGGED]:
            logger.error("A change of what is in force could not be read whole; restart this process. %s", fault)

    def _confirm(self) -> None:
        self._confirmed_at = time.monotonic()

    def _announce_changes(self) -> None:
        self.announced = self.restricted.sequence
        self._announce()

    def _read_keys(self, database: sql.Connection) -> None:
        self._keys_outdated = False
        self.keys = sql.usable_keys(database, now=self._clock())
        self._keys_read_at = time.monotonic()
