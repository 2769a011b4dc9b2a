"""The gateway's end: keeps the restrictions in memory and on disk, and answers without asking anybody."""

import json
import logging
import random
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from http.client import HTTPException
from math import inf
from pathlib import Path
from typing import Any, Final

from stillwatch_gateway import disk
from stillwatch_gateway.calling import ANSWER_SECONDS, AnswerError, Caller, inflated, read
from stillwatch_gateway.disk import Confirmed, StoreError
from stillwatch_gateway.epochs import Epoch, HeldOver, held_over
from stillwatch_gateway.knowledge import Moment, running
from stillwatch_gateway.messages import MOST_CHANGES_BYTES, BadMessageError, Changes, Head, read_changes, signing_key
from stillwatch_gateway.naming import LONGEST_INSTANCE, LONGEST_NAME, is_instance, read_names, this_process
from stillwatch_gateway.normalization import name_of, normalize_name, says_none
from stillwatch_gateway.receiving import receive_snapshot
from stillwatch_gateway.refused import Refusals
from stillwatch_gateway.restricted import UNREACHABLE, Decision, OutOfOrderError, Restricted

logger = logging.getLogger("stillwatch_gateway")

WAIT_SECONDS: Final = 5  # refusals are told with the next question
FIRST_PAUSE: Final = 0.02
LONGEST_PAUSE: Final = 5.0
FOLD_AT_BYTES: Final = 32 * 2**20
FOLD_AT_CHANGES: Final = 50_000
FAULTS_LOGGED: Final = 10  # of one message
# A snapshot older than what is known is asked for again, since another process of Stillwatch may be ahead. After so
# many it is taken: the database went back in time, and no process noticed.
OLDER_SNAPSHOTS: Final = 10
STORE_TRIED_EVERY: Final = 60.0
HELD_REPORTED: Final = 200


class OlderSnapshotError(BadMessageError):
    """A snapshot of the same epoch that is older than what is known."""


class Gateway:
    """What a gateway asks before it serves.

    While Stillwatch cannot be reached for longer than `patience` seconds, whoever is known to be restricted stays so.
    Anybody else is let in, unless their plan fails closed: by the operator of Stillwatch, or by `fail_closed_plans`;
    with `fail_closed` nobody is. A gateway that has never reached Stillwatch, and has no usable copy on disk, is past
    its patience from the start.
    """

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
        if instance and not is_instance(instance):
            raise ValueError(f"instance must be 1 to {LONGEST_INSTANCE} printable characters, not blank")
        self._caller = Caller(url, service_key)
        self._patience, self._on_change = patience, on_change
        self._instance = instance or this_process()
        self._key, self._folder = signing_key(service_key), Path(folder)
        self._fail_closed, self._own_closed_plans = fail_closed, frozenset(fail_closed_plans)
        self._closed_plans = self._own_closed_plans
        self._restricted, self._epoch = Restricted(), Epoch()
        self._held: tuple[HeldOver, ...] = ()
        self._held_told: dict[int, dict[str, Any]] = {}
        # By both clocks, when the newest change was last known to be the newest.
        self._known_wall, self._known_running = -inf, -inf
        self._known = threading.Event()
        self._ended = threading.Event()
        self._refusals = Refusals()
        self._faults, self._older_snapshots = 0, 0
        self._store: disk.Store | None = None
        self._store_tried_at, self._problem_logged = 0.0, ""
        self._follower = threading.Thread(target=self._follow, name="stillwatch", daemon=True)

    # What the gateway asks ---------------------------------------------------------------------------------------

    def start(self, wait: float = 5.0) -> bool:
        """Read what was known last and follow Stillwatch from now on; whether it was reached within `wait` seconds.

        Call it in the process that asks: threads do not survive a fork.
        """
        self._store = disk.Store(self._folder, self._key)
        self._load(self._store)
        self._follower.start()
        is_reached = self._known.wait(wait)
        if not is_reached:
            self._log_store_problem()
        return is_reached

    def close(self) -> None:
        self._ended.set()
        self.cut()
        if self._follower.is_alive():
            self._follower.join(ANSWER_SECONDS)
        if self._store is not None:
            self._store.close()

    def decide(
        self,
        *,
        account: str | None = None,
        key: str | None = None,
        digest: str | None = None,
        organisation: str | None = None,
        also: Iterable[str] = (),
        plan: str | None = None,
    ) -> Decision:
        """What to do with a request of the customer with these names; give all that you know.

        A name that says there is none ("None", "null", "undefined") counts as none.

        `key` is your id of the API key, `digest` the SHA-256 of its secret in hexadecimal. Where a request shows
        several of a kind, `also` are the others, each with its kind: "account:acct_1042". None and "" count as not
        given. A name that cannot be read, such as one of white space, is refused where no other is restricted, with
        the reason in `because`.
        """
        names, unreadable = _read(account, key, digest, organisation, also)
        now = time.time()
        age = self._age(now)
        # In this order: what is held over is there before the restrictions that lack it.
        decision = self._restricted.decide(names, now=now, age=age)
        if not decision.allowed:
            self._refusals.note(decision.number or 0)
            return decision
        for held in self._held:
            before = held.decide(names, now=now, age=age)
            if not before.allowed:
                return before  # not reported: its number means nothing to Stillwatch any more
        if unreadable:
            return decision._replace(allowed=False, kind=None, reason=None, number=None, because=unreadable)
        if age > self._patience and (self._fail_closed or plan in self._closed_plans):
            return decision._replace(allowed=False, because=UNREACHABLE)
        return decision

    @property
    def sequence(self) -> int:
        return self._restricted.sequence

    @property
    def epoch(self) -> str:
        """The history of changes that `sequence` belongs to; blank where Stillwatch is of a release without epochs."""
        return self._restricted.epoch

    @property
    def faults(self) -> int:
        """How many of the restrictions and changes that are held could not be read, or only in part."""
        return self._faults

    @property
    def store_problem(self) -> str:
        """What is wrong with the copy on disk; blank while it is well."""
        return self._store.problem if self._store is not None else ""

    @property
    def age(self) -> float:
        """Seconds since the newest change was last known to be the newest: at least so many as it is in truth.

        Time in which the machine slept, or the process did not run, counts. Infinite where it is not known.
        """
        return self._age(time.time())

    def __len__(self) -> int:
        return len(self._restricted)

    def _age(self, wall: float) -> float:
        by_running, by_wall = running() - self._known_running, wall - self._known_wall
        return by_wall if by_wall > by_running else by_running  # noqa: FURB136 - max() takes several times as long

    # The copy on disk --------------------------------------------------------------------------------------------

    def _load(self, store: disk.Store) -> None:
        kept, confirmed = store.load(), store.confirmed()
        if confirmed is not None:
            self._closed_plans |= confirmed.closed
        if kept is None:
            return
        self._restricted, self._epoch = kept.restricted, kept.head.epoch
        self._closed_plans |= kept.head.closed
        self._note_faults(kept.faults)
        for before in store.load_held():
            self._hold_over(before.restricted)
        if confirmed is not None:
            now = Moment.now()
            age = confirmed.at.seconds_until(now)
            self._known_wall, self._known_running = now.wall - age, now.running - age

    def _log_store_problem(self) -> None:
        """Say loudly what is wrong with the copy on disk, once, and what follows."""
        problem = self.store_problem
        if problem and problem != self._problem_logged:
            if self._known.is_set():
                follows = (
                    "Restrictions are kept in memory only: started again while Stillwatch cannot be reached, this "
                    "gateway knows less than now."
                )
            elif len(self):
                follows = "What is known may be older than it was."
            elif self._fail_closed:
                follows = "Nothing is known, and Stillwatch is not reached: everybody is refused, as fail_closed says."
            else:
                follows = (
                    "Nothing is known, and Stillwatch is not reached: restricted customers are let in, but for those "
                    f"on plans that fail closed ({', '.join(sorted(self._closed_plans)) or 'none'})."
                )
            logger.error(
                "%s %s Let this process write regular files in %s, with room on the disk; it is tried again every %.0f "
                "s once Stillwatch is reached.",
                problem,
                follows,
                self._folder,
                STORE_TRIED_EVERY,
            )
        self._problem_logged = problem

    def _store_failed(self, error: OSError) -> None:
        if self._store is not None:
            self._store.failed(error)
            self._log_store_problem()

    def _should_try_store(self) -> bool:
        """Whether a snapshot may heal the copy on disk now."""
        store = self._store
        if store is None or not store.problem or time.monotonic() - self._store_tried_at < STORE_TRIED_EVERY:
            return False
        self._store_tried_at = time.monotonic()
        before = store.problem
        store.open()
        store.problem = store.problem or (before if store.writes else "")
        return store.writes

    # Following Stillwatch ----------------------------------------------------------------------------------------

    def cut(self) -> None:
        """Drop the connection; it is made anew."""
        self._caller.cut()

    def _follow(self) -> None:
        pause = FIRST_PAUSE
        needs_snapshot = self._restricted.sequence == 0
        while not self._ended.is_set():
            try:
                if needs_snapshot or self._should_fold() or self._should_try_store():
                    self._take_snapshot()
                    needs_snapshot = False
                self._take_changes()
                pause = FIRST_PAUSE
                continue
            except (BadMessageError, OutOfOrderError) as error:
                self._older_snapshots += isinstance(error, OlderSnapshotError)
                logger.warning("Refused a message of Stillwatch: %s", error)
                needs_snapshot = True
            except AnswerError as error:
                logger.warning("%s", error)
                needs_snapshot = needs_snapshot or error.status == 410
            except (OSError, HTTPException, EOFError, zlib.error) as error:
                logger.info("Stillwatch cannot be reached: %s", type(error).__name__)
            except Exception:
                logger.exception("Following Stillwatch failed")
            self._caller.hang_up()
            self._ended.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, keeps no secret
            pause = min(2 * pause, LONGEST_PAUSE)
        self._caller.hang_up()

    def _should_fold(self) -> bool:
        store = self._store
        written = store.changes_bytes if store is not None and store.writes and not store.problem else 0
        return written > FOLD_AT_BYTES or self._restricted.told_since > FOLD_AT_CHANGES

    def _take_changes(self) -> None:
        refusals = self._refusals.report()
        asked = {
            "after": self.sequence,
            "epoch": self.epoch,
            "instance": self._instance,
            "wait": WAIT_SECONDS if self._known.is_set() else 0,
            "refusals": refusals,
            "faults": self._faults,
            "held_over": list(self._held_told.values())[:HELD_REPORTED],
            "store_problem": self.store_problem,
        }
        asked_at = Moment.now()
        answer = self._caller.ask("POST", "/api/v1/access/changes", json.dumps(asked))
        body = inflated(read(answer, MOST_CHANGES_BYTES), answer.getheader("Content-Encoding"), MOST_CHANGES_BYTES)
        digest, signed = answer.getheader("Stillwatch-Digest"), answer.getheader("Stillwatch-Signature")
        disk.verify(body, digest, signed, self._key)
        changes = read_changes(body)
        self._refuse_other_epoch(changes)
        if changes.after != self.sequence:
            raise BadMessageError(f"changes after {changes.after}, not {self.sequence}")
        disk.apply(self._restricted, changes)
        self._note_faults(changes.faults)
        self._let_go_of_settled(changes.epoch)
        self._now_known(asked_at, changes.age, changes.closed)
        if changes.changes and self._store is not None:
            try:
                self._store.keep_changes(body, str(digest), str(signed))
            except OSError as error:
                self._store_failed(error)
        self._refusals.reported(refusals)

    def _refuse_other_epoch(self, changes: Changes) -> None:
        """Raises BadMessageError. Servers of older releases name no epoch, and are followed by the numbers alone."""
        named = changes.epoch.identifier
        if named and self.epoch and named != self.epoch:
            raise BadMessageError(f"changes of epoch {named}, not {self.epoch}")
        self._restricted.epoch = named or self.epoch

    def _take_snapshot(self) -> None:
        asked_at, store = Moment.now(), self._store
        try:
            self._take_snapshot_into(store if store is not None and store.writes else None, asked_at)
        except StoreError as error:
            self._store_failed(error.reason)
            self._caller.hang_up()
            self._take_snapshot_into(None, Moment.now())

    def _take_snapshot_into(self, store: disk.Store | None, asked_at: Moment) -> None:
        """Take a snapshot, by way of the disk where there is a store. Raises StoreError where that does not take it."""
        with receive_snapshot(self._caller, store, self._key) as received:
            restricted, head, file = received
            ended_epoch = self._ended_by(restricted, head)
            if ended_epoch is not None:
                self._epoch = head.epoch
                self._hold_over(self._restricted, restricted)
            self._restricted, self._epoch = restricted, head.epoch
            self._faults = 0  # the snapshot stands for all that came before it
            self._note_faults(head.faults)
            self._older_snapshots = 0
            if store is not None and file is not None:
                try:
                    store.keep_snapshot(file, ended_epoch=ended_epoch if self._held else None)
                except OSError as error:
                    self._store_failed(error)
        if ended_epoch is not None and self._held and store is not None:
            self._tell_what_is_held(store)
        self._let_go_of_settled(head.epoch)
        self._now_known(asked_at, 0.0, head.closed)
        if self._store is not None and self._store.only_reads:
            self._store.problem = ""  # is another process's to heal
        self._log_store_problem()

    def _ended_by(self, restricted: Restricted, head: Head) -> str | None:
        """The epoch that a snapshot ends, None where it goes on with what is known. Raises OlderSnapshotError."""
        before, named = self._restricted, head.epoch.identifier
        if before.sequence == 0 and not before.epoch:
            return None
        if named and before.epoch and named != before.epoch:
            return before.epoch
        if head.sequence >= before.sequence:
            return None
        if self._older_snapshots < OLDER_SNAPSHOTS:
            raise OlderSnapshotError(f"a snapshot of {head.sequence} is older than {before.sequence}")
        return before.epoch

    # What was lost at a restore ----------------------------------------------------------------------------------

    def _hold_over(self, before: Restricted, now: Restricted | None = None) -> None:
        """Go on refusing because of what `now` lacks since Stillwatch lost it."""
        held = held_over(before, self._restricted if now is None else now, self._epoch)
        if not held.numbers:
            return
        self._held = (*self._held, held)
        self._refusals.forget(held.numbers)
        self._held_told |= {number: before.told(number) or {"number": number} for number in sorted(held.numbers)}
        if now is not None:
            logger.error(
                "Stillwatch's database went back in time: epoch %s takes the place of %s, change %d. %d restrictions "
                "that were known here are gone there. They stay in force here, and are reported, until somebody at "
                "Stillwatch has looked at them on the page /enforcement/.",
                now.epoch or "(none)",
                before.epoch or "(none)",
                before.sequence,
                len(held.numbers),
            )

    def _tell_what_is_held(self, store: disk.Store) -> None:
        for told in store.told_of(self._held_told):
            self._held_told[told["number"]] = disk.reportable(told)

    def _let_go_of_settled(self, epoch: Epoch) -> None:
        self._epoch = epoch
        if not self._held or not epoch.settled:
            return
        self._held = tuple(left for held in self._held if (left := held.left(epoch)).numbers)
        numbers = {number for held in self._held for number in held.numbers}
        self._held_told = {number: told for number, told in self._held_told.items() if number in numbers}
        if not self._held and self._store is not None:
            self._store.forget_held()

    def _note_faults(self, faults: Sequence[str]) -> None:
        """Count what could not be read, which is reported to Stillwatch, and log some of it."""
        self._faults += len(faults)
        for fault in faults[:FAULTS_LOGGED]:
            logger.warning("A message of Stillwatch could not be read whole; update this client. %s", fault)

    def _now_known(self, asked_at: Moment, age: float, closed: frozenset[str]) -> None:
        """The answer to a question of `asked_at` said that nothing was newer `age` seconds before it was given."""
        self._closed_plans = closed | self._own_closed_plans
        self._known_wall, self._known_running = asked_at.wall - age, asked_at.running - age
        self._known.set()
        if self._store is not None:
            at = Moment(self._known_wall, self._known_running, asked_at.boot)
            self._store.keep_confirmed(Confirmed(at, closed))
        if self._on_change is not None:
            self._on_change(self.sequence)


def _read(
    account: str | None, key: str | None, digest: str | None, organisation: str | None, also: Iterable[str]
) -> tuple[list[str], str]:
    """The names that are given, and why one cannot be read; blank where all can."""
    names = []
    try:
        if account and not says_none(account):
            names.append(name_of("account", account))
        if key and not says_none(key):
            names.append(name_of("key", key))
        if digest and not says_none(digest):
            names.append(name_of("digest", digest))
        if organisation and not says_none(organisation):
            names.append(name_of("organisation", organisation))
        names += [normalize_name(name) for name in also if not says_none(name.partition(":")[2])]
        if _are_plain(names):
            return names, ""
    except (AttributeError, TypeError):  # one is no text
        pass
    return read_names(
        [("account", account), ("key", key), ("digest", digest), ("organisation", organisation), *map(_with_kind, also)]
    )


def _are_plain(names: Sequence[str]) -> bool:
    """Whether these names can be read, and in one way only, as nearly all: told faster together than one by one."""
    text = " ".join([*names, ""])  # after the kind of a blank name comes a space
    return "%" not in text and ": " not in text and "\0" not in text and text.isascii() and len(text) <= LONGEST_NAME


def _with_kind(name: str) -> tuple[str, str]:
    kind, _, value = name.partition(":")
    return kind, value
