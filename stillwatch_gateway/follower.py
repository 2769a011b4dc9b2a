"""Follows Stillwatch: keeps the restrictions in memory and on disk, and tells who was refused because of them."""

import atexit
import json
import logging
import random
import threading
import zlib
from collections.abc import Callable, Iterable, Sequence
from http.client import HTTPException
from math import inf
from pathlib import Path
from typing import Any, Final

from stillwatch_gateway.disk import Confirmation, SnapshotStore, StoreError
from stillwatch_gateway.epoch_changes import OlderSnapshotError, ended_epoch, refuse_other_epoch
from stillwatch_gateway.epochs import Epoch
from stillwatch_gateway.held_over_restrictions import HeldOverRestrictions
from stillwatch_gateway.http_connection import ANSWER_SECONDS, HttpStatusError, ServerConnection, decompress, read_body
from stillwatch_gateway.logs import log_faults, log_loss, log_problem
from stillwatch_gateway.messages import MOST_CHANGES_BYTES, BadMessageError, read_changes, signing_key
from stillwatch_gateway.moments import Moment
from stillwatch_gateway.naming import LONGEST_INSTANCE, is_instance_name, this_process
from stillwatch_gateway.refusal_counts import RefusalCounts
from stillwatch_gateway.restriction_set import OutOfOrderError, RestrictionSet
from stillwatch_gateway.signed import apply_changes, verify_body
from stillwatch_gateway.snapshot_download import downloaded_snapshot

logger = logging.getLogger("stillwatch_gateway")

WAIT_SECONDS: Final = 5  # refusals are reported with the next request
FIRST_PAUSE: Final = 0.02
LONGEST_PAUSE: Final = 5.0
EXIT_SECONDS: Final = 2.0
COMPACT_AT_BYTES: Final = 32 * 2**20
COMPACT_AT_CHANGES: Final = 50_000


class Follower:
    """A set of restrictions that a thread keeps as fresh as Stillwatch tells them; see `client.Gateway`."""

    def __init__(
        self,
        url: str,
        service_key: str,
        folder: str | Path,
        *,
        instance: str = "",
        patience: float = 60.0,
        on_change: Callable[[int], None] | None = None,
        fail_closed: bool = False,
        fail_closed_plans: Iterable[str] = (),
    ) -> None:
        if instance and not is_instance_name(instance):
            raise ValueError(f"instance must be 1 to {LONGEST_INSTANCE} printable characters, not blank")
        self._connection = ServerConnection(url, service_key)
        self._patience, self._on_change = patience, on_change
        self._instance = instance or this_process()
        self._key, self._folder = signing_key(service_key), Path(folder)
        self._fail_closed, self._own_closed_plans = fail_closed, frozenset(fail_closed_plans)
        self._closed_plans = self._own_closed_plans
        self._restricted, self._epoch = RestrictionSet(), Epoch()
        self._held = HeldOverRestrictions()
        # By both clocks, when the newest change was last known to be the newest.
        self._known_wall, self._known_running = -inf, -inf
        self._known, self._ended = threading.Event(), threading.Event()
        self._refusals = RefusalCounts()
        self._faults, self._older_snapshots = 0, 0
        self._store: SnapshotStore | None = None
        self._problem_logged = ""
        self._follower = threading.Thread(target=self._follow, name="stillwatch", daemon=True)

    def start(self, wait: float = 5.0) -> bool:
        """Read what was known last and follow Stillwatch from now on; whether it was reached within `wait` seconds.

        Call it in the process that asks: threads do not survive a fork.
        """
        self._store = SnapshotStore(self._folder, self._key)
        self._load(self._store)
        self._follower.start()
        atexit.register(self._end_within, EXIT_SECONDS)
        if not self._known.wait(wait):
            self._log_store_problem()
        return self._known.is_set()

    def _end_within(self, seconds: float) -> None:
        """Say that it ends, if that takes no longer."""
        self._ended.set()
        self.cut()
        if self._follower.is_alive():
            self._follower.join(seconds)

    def close(self) -> None:
        atexit.unregister(self._end_within)
        self._end_within(ANSWER_SECONDS)
        if self._store is not None:
            self._store.close()

    @property
    def sequence(self) -> int:
        return self._restricted.sequence

    @property
    def store_problem(self) -> str:
        """What is wrong with the copy on disk; blank while it is well."""
        return self._store.problem if self._store is not None else ""

    # The copy on disk --------------------------------------------------------------------------------------------

    def _load(self, store: SnapshotStore) -> None:
        kept, confirmed = store.load(), store.confirmed()
        if confirmed is not None:
            self._closed_plans |= confirmed.closed
        if kept is None:
            return
        self._restricted, self._epoch = kept.restricted, kept.head.epoch
        self._closed_plans |= kept.head.closed
        self._note_faults(kept.faults)
        store.needs_snapshot = kept.ends_early
        for before in store.load_held_over():
            self._hold_over(before.restricted, self._restricted)
        if self._held:
            self._held.load_names(store)
        if confirmed is not None:
            now = Moment.now()
            age = confirmed.at.seconds_until(now)
            self._known_wall, self._known_running = now.wall - age, now.running - age

    def _log_store_problem(self) -> None:
        """Say loudly what is wrong with the copy on disk, once, and what follows."""
        problem = self.store_problem
        if problem and problem != self._problem_logged:
            log_problem(
                problem,
                self._folder,
                is_reached=self._known.is_set(),
                knows_any=len(self._restricted) > 0,
                fail_closed=self._fail_closed,
                closed_plans=self._closed_plans,
            )
        self._problem_logged = problem

    def _store_failed(self, store: SnapshotStore, error: OSError) -> None:
        store.failed(error)
        self._log_store_problem()

    # Following Stillwatch ----------------------------------------------------------------------------------------

    def cut(self) -> None:
        """Drop the connection; the next request opens another."""
        self._connection.cut()

    def _follow(self) -> None:
        pause = FIRST_PAUSE
        needs_snapshot = self._restricted.sequence == 0
        while not self._ended.is_set():
            try:
                if needs_snapshot or self._should_compact() or (self._store is not None and self._store.needs_repair()):
                    self._take_snapshot()
                    needs_snapshot = False
                self._take_changes()
                pause = FIRST_PAUSE
                continue
            except (BadMessageError, OutOfOrderError) as error:
                self._older_snapshots += isinstance(error, OlderSnapshotError)
                logger.warning("Refused a message of Stillwatch: %s", error)
                needs_snapshot = True
            except HttpStatusError as error:
                logger.warning("%s", error)
                needs_snapshot = needs_snapshot or error.status == 410
            except (OSError, HTTPException, EOFError, zlib.error) as error:
                logger.info("Stillwatch cannot be reached: %s", type(error).__name__)
            except Exception:
                logger.exception("Following Stillwatch failed")
            self._connection.hang_up()
            self._ended.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, keeps no secret
            pause = min(2 * pause, LONGEST_PAUSE)
        self._connection.hang_up()  # it was cut, maybe between two questions
        self._say_that_it_ends()
        self._connection.hang_up()

    def _should_compact(self) -> bool:
        store = self._store
        written = store.changes_bytes if store is not None and store.writes and not store.problem else 0
        return written > COMPACT_AT_BYTES or self._restricted.changes_since_snapshot > COMPACT_AT_CHANGES

    def _report(self, *, wait: float) -> dict[str, Any]:
        return {
            "after": self.sequence,
            "epoch": self._restricted.epoch,
            "instance": self._instance,
            "wait": wait,
            "refusals": self._refusals.report(),
            "faults": self._faults,
            "held_over": self._held.report(),
            "store_problem": self.store_problem,
        }

    def _say_that_it_ends(self) -> None:
        """Else Stillwatch takes it for an instance that is cut off and goes on serving."""
        if not self._known.is_set():
            return
        try:
            report = self._report(wait=0) | {"is_ending": True}
            read_body(self._connection.ask("POST", "/api/v1/access/changes", json.dumps(report)), MOST_CHANGES_BYTES)
        except (HttpStatusError, BadMessageError, OSError, HTTPException) as error:
            logger.info("Stillwatch does not know that this gateway ends: %s", type(error).__name__)

    def _take_changes(self) -> None:
        asked = self._report(wait=WAIT_SECONDS if self._known.is_set() else 0)
        refusals = asked["refusals"]
        asked_at = Moment.now()
        answer = self._connection.ask("POST", "/api/v1/access/changes", json.dumps(asked))
        body = decompress(
            read_body(answer, MOST_CHANGES_BYTES), answer.getheader("Content-Encoding"), MOST_CHANGES_BYTES
        )
        digest, signed = answer.getheader("Stillwatch-Digest"), answer.getheader("Stillwatch-Signature")
        verify_body(body, digest, signed, self._key)
        changes = read_changes(body)
        refuse_other_epoch(self._restricted, changes)
        if changes.after != self.sequence:
            raise BadMessageError(f"changes after {changes.after}, not {self.sequence}")
        apply_changes(self._restricted, changes)
        self._note_faults(changes.faults)
        self._let_go_of_settled(changes.epoch)
        self._now_known(asked_at, changes.age, changes.closed)
        if changes.changes and self._store is not None:
            try:
                self._store.keep_changes(body, str(digest), str(signed))
            except OSError as error:
                self._store_failed(self._store, error)
        self._refusals.forget_reported(refusals)

    def _take_snapshot(self) -> None:
        if self._store is not None and self._store.writes:
            try:
                self._take_snapshot_into(self._store)
                return
            except StoreError as error:
                self._store_failed(self._store, error.reason)
                self._connection.hang_up()
        self._take_snapshot_into(None)

    def _take_snapshot_into(self, store: SnapshotStore | None) -> None:
        """Take a snapshot, by way of the disk where there is a store. Raises StoreError where that does not take it."""
        with downloaded_snapshot(self._connection, store, self._key) as received:
            restricted, head, file = received
            ended = ended_epoch(self._restricted, head, older_snapshots=self._older_snapshots)
            if ended is not None:
                self._epoch = head.epoch
                if lost := self._hold_over(self._restricted, restricted):
                    log_loss(self._restricted, restricted, lost)
            self._restricted, self._epoch = restricted, head.epoch
            self._faults = 0  # the snapshot stands for all that came before it
            self._note_faults(head.faults)
            self._older_snapshots = 0
            if store is not None and file is not None:
                # A process that kept the copy may have ended before the epoch did.
                kept_epoch = ended if ended is not None else store.epoch_beside(head.epoch.identifier)
                try:
                    store.keep_snapshot(file, ended_epoch=kept_epoch if self._held else None)
                except OSError as error:
                    self._store_failed(store, error)
        if ended is not None and self._held and self._store is not None:
            self._held.load_names(self._store)
        self._let_go_of_settled(head.epoch)
        self._finish_message(head.closed)  # only changes say how old it is: Stillwatch may not reach its database
        if self._store is not None and self._store.is_read_only:
            self._store.problem = ""  # is another process's to heal
        self._log_store_problem()

    def _hold_over(self, before: RestrictionSet, now: RestrictionSet) -> frozenset[int]:
        numbers = self._held.add_lost(before, now, self._epoch)
        self._refusals.forget(numbers)
        return numbers

    def _let_go_of_settled(self, epoch: Epoch) -> None:
        self._epoch = epoch
        if self._held.drop_settled(epoch) and self._store is not None:
            self._store.forget_held_over()

    def _note_faults(self, faults: Sequence[str]) -> None:
        """Count what could not be read, which is reported to Stillwatch, and log some of it."""
        self._faults += len(faults)
        log_faults(faults)

    def _now_known(self, asked_at: Moment, age: float, closed: frozenset[str]) -> None:
        """The answer to a question of `asked_at` said that nothing was newer `age` seconds before it was given."""
        self._known_wall, self._known_running = asked_at.wall - age, asked_at.running - age
        self._known.set()
        if self._store is not None:
            at = Moment(self._known_wall, self._known_running, asked_at.boot)
            self._store.keep_confirmed(Confirmation(at, closed))
        self._finish_message(closed)

    def _finish_message(self, closed: frozenset[str]) -> None:
        """Note which plans Stillwatch says fail closed, and say that a message was taken in."""
        self._closed_plans = closed | self._own_closed_plans
        if self._on_change is not None:
            self._on_change(self.sequence)
