"""Keeps the restrictions that a process holds as fresh as a commit: PostgreSQL calls out, the rows say what changed."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec
import psycopg

from governance.gateways.check import recovering
from governance.gateways.check import sql as rows
from governance.gateways.check.calls import Calls
from governance.gateways.check.saved_state import SavedState
from governance.gateways.check.sql import Change, Key
from governance.platform.notifications import CHANGES_CHANNEL, KEYS_CHANNEL
from stillwatch_gateway.epochs import Epoch
from stillwatch_gateway.messages import read_entry, readable
from stillwatch_gateway.restricted import OutOfOrderError, Restricted

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

# Without a call the rows are read this often: so a lost call costs a second, and `age` stays below it.
LOOKS_EVERY: Final = 1.0
KEYS_EVERY: Final = 1.0
PAUSE_AFTER_FAILURE: Final = 0.5
# Those who wait are told together at most this often, so that a thousand changes a second wake nobody a thousand times.
TELLS_EVERY: Final = 0.1
REMEMBERED: Final = 20_000
FOLD_AT: Final = 50_000
FAULTS_LOGGED: Final = 10  # at a time
LOAD_AT_NEXT_LOOK: Final = -1  # in place of how many lost decisions were settled


class NoEpochError(Exception):
    """The database has no epoch any more: it is being restored, or is another one."""


class RestrictionReplica:
    """The set that the hot check answers from, and the newest changes for the feed. One thread keeps both fresh."""

    def __init__(
        self,
        clock: Clock,
        connect: Callable[[], rows.Connection] = rows.connect,
        *,
        on_new_epoch: Callable[[], None] = lambda: None,
        saved_state: Callable[[], SavedState | None] = lambda: None,
    ) -> None:
        self._clock, self._connect, self._on_new_epoch, self._saved_state = clock, connect, on_new_epoch, saved_state
        self._is_saved_state_tried = False
        self.restricted = Restricted()
        self.told = 0  # up to here those who wait have been told
        self.faults = 0  # changes that could not be read, or only in part, since the restrictions were loaded
        self.epoch = Epoch()
        self.keys: dict[bytes, Key] = {}
        self.arrivals: deque[tuple[int, datetime]] = deque(maxlen=1_000)
        self._confirmed_at = float("-inf")
        self._recent: deque[Change] = deque(maxlen=REMEMBERED)
        self._settled = 0  # how many lost decisions a person had settled when the epoch was read
        self.looks_begun = self.looks_done = 0
        self.is_connected = False
        self._listeners: list[Callable[[], None]] = []
        self._keys_outdated = False
        self._keys_read_at = float("-inf")
        self._loaded, self._ended = threading.Event(), threading.Event()
        self._calls = Calls(self._ended)
        self._thread = threading.Thread(target=self._keep, name="restrictions", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._calls.wake()
        self._thread.join()
        self._calls.close()

    def listen(self, announce: Callable[[], None]) -> None:
        """Call this, from the thread, whenever there are new changes or keys, or a look is done."""
        self._listeners.append(announce)

    def ask_for_look(self) -> int:
        """Have the rows read again soon. What is committed by now is known once `looks_done` is the number returned."""
        number = self.looks_begun + 1
        self._keys_outdated = True
        self._calls.wake()
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

    def changes(self, after: int, upto: int) -> list[Change] | None:
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

    def key(self, digest: bytes) -> Key | None:
        """The usable service key with this digest, as of the last look."""
        return self.keys.get(digest)

    # The thread --------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        failing = False
        while not self._ended.is_set():
            try:
                with self._connect() as database:
                    failing, self.is_connected = False, True
                    self._follow(database)
            except psycopg.Error as error:
                if not failing:
                    logger.warning("Cannot read the restrictions in force: %s", type(error).__name__)
                failing = True
            except NoEpochError:
                if not failing:
                    logger.error(  # noqa: TRY400 - where it was raised says nothing
                        "The database has no epoch of the feed: it is being restored, or is another one. What was in "
                        "force stays so. If this does not end, run `manage.py new_epoch` once the restore is complete."
                    )
                failing = True
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
        self.told = saved.restricted.sequence
        self._loaded.set()
        logger.warning("What was in force %.0f s ago, up to change %d, is read from disk", saved.age, self.told)

    def _follow(self, database: rows.Connection) -> None:
        self._calls.listen(database, CHANGES_CHANNEL, KEYS_CHANNEL)
        # Before anybody is answered: else one usable key would be looked for, and others refused meanwhile.
        self._read_keys(database)
        if not self._loaded.is_set():
            recovering.ensure_epoch(now=self._clock())
            self._load(database)
        told_at = float("-inf")
        while not self._ended.is_set():
            self._look(database)
            until_told = told_at + TELLS_EVERY - time.monotonic()
            if self.restricted.sequence > self.told and until_told <= 0:
                told_at, until_told = time.monotonic(), LOOKS_EVERY
                self._tell()
            waits = LOOKS_EVERY if self.restricted.sequence == self.told else max(until_told, 0)
            if KEYS_CHANNEL in self._calls.wait(database, waits):
                self._keys_outdated = True

    def _look(self, database: rows.Connection) -> None:
        self.looks_begun += 1
        if self._keys_outdated or time.monotonic() - self._keys_read_at > KEYS_EVERY:
            self._read_keys(database)
        self._read_changes(database)
        self.looks_done = self.looks_begun
        self._announce()

    def _announce(self) -> None:
        for announce in self._listeners:
            announce()

    def _load(self, database: rows.Connection) -> None:
        """Everything, as one moment of the database shows it; changes on the way there are remembered all the same."""
        with rows.snapshot(database) as taken:
            faults: list[str] = []
            entries = readable((read_entry(msgspec.json.decode(told)) for told in taken.told), faults)
            restricted = Restricted(entries, taken.sequence, taken.epoch.identifier)
            recent = deque(rows.newest_changes(database, REMEMBERED), maxlen=REMEMBERED)
        self.restricted, self._recent = restricted, recent
        self.epoch, self._settled = taken.epoch, taken.settled
        self.faults = 0
        self._note_faults(faults)
        self._confirm()
        if not self._loaded.is_set():
            self.told = taken.sequence
            self._loaded.set()

    def _read_changes(self, database: rows.Connection) -> None:
        while True:
            newest = self._recent[-1] if self._recent else None
            look = rows.look(database, newest=newest.number if newest else 0, after=self.restricted.sequence)
            if look.epoch is None:
                raise NoEpochError
            if look.epoch != self.epoch.identifier or (newest is not None and look.known != newest.fingerprint):
                self._change_epoch(database)
                return
            self._apply(look.newer)
            if len(look.newer) < rows.PORTION:
                break
        self._confirm()
        told_since = self.restricted.told_since
        if look.settled != self._settled or (told_since > FOLD_AT and told_since > len(self.restricted) // 10):
            self._load(database)

    def _change_epoch(self, database: rows.Connection) -> None:
        """Go on with a database that is not the one that this process knows. Until all is loaded, the restrictions
        known before are in force.
        """
        recovering.come_to_terms(
            database, recent=list(self._recent), known=self.restricted, epoch=self.epoch, now=self._clock()
        )
        self._load(database)
        self._on_new_epoch()
        self.arrivals.append((self.restricted.sequence, self._clock()))
        logger.warning(
            "What is in force is that of epoch %s, change %d",
            self.epoch.identifier,
            self.restricted.sequence,
        )

    def _apply(self, changes: list[Change]) -> None:
        if not changes:
            return
        faults = []
        for change in changes:
            if change.told is None:
                self.restricted.change(change.number, None, change.restriction)
                continue
            entry, fault = read_entry(msgspec.json.decode(change.told))
            try:
                self.restricted.change(change.number, entry, None)
            except OutOfOrderError as error:  # other names for a restriction that could not be read
                self.restricted.change(change.number, None, None)
                fault = str(error)
            if fault:
                faults.append(fault)
        self._note_faults(faults)
        self._recent.extend(changes)
        self.arrivals.append((self.restricted.sequence, self._clock()))

    def _note_faults(self, faults: list[str]) -> None:
        """A newer release may have written what this one cannot read."""
        self.faults += len(faults)
        for fault in faults[:FAULTS_LOGGED]:
            logger.error("A change of what is in force could not be read whole; restart this process. %s", fault)

    def _confirm(self) -> None:
        self._confirmed_at = time.monotonic()

    def _tell(self) -> None:
        self.told = self.restricted.sequence
        self._announce()

    def _read_keys(self, database: rows.Connection) -> None:
        self._keys_outdated = False
        self.keys = rows.usable_keys(database, now=self._clock())
        self._keys_read_at = time.monotonic()
