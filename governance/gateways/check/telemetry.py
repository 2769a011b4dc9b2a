"""Buffer what a process of the check saw until it is flushed: who asked, who has which change, who was refused."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection
from msgspec import to_builtins

from governance.gateways.check.feed_requests import ReportedHeldOver
from governance.gateways.check.replica import RestrictionReplica
from governance.gateways.check.sql import UsableKey
from governance.gateways.recovery import MOST_REPORTED
from governance.gateways.telemetry import (
    INSTANCES_KEPT,
    AccessReport,
    HeldOverReport,
    InstanceReport,
    RefusalReport,
    TelemetryReport,
    save_reports,
)
from governance.staff.service_keys import note_service_keys_used
from stillwatch_gateway.naming import this_process

logger = logging.getLogger(__name__)

WRITTEN_EVERY: Final = 0.5
ALIVE_NOTED_EVERY: Final = timedelta(seconds=5)
USE_NOTED_EVERY: Final = timedelta(minutes=1)
# The first refusal of a restriction is its proof and is written at the next time; how many more there were is written
# for so many restrictions at a time, so that checks and the database are never kept waiting long.
COUNTED_AT_A_TIME: Final = 100
MOST_PROVEN: Final = 100_000

# The digest of a service key, the number of a restriction, and the epoch that the number belongs to.
At = tuple[UUID, int, str]


class RefusalCount(NamedTuple):
    """How often, and when first and last, a gateway refused because of a restriction."""

    key: UsableKey
    first: datetime
    last: datetime
    times: int


@dataclass(slots=True)
class ReportedState:
    """What a process of a gateway has said: up to where it knew, how much it could not read, what troubles it."""

    known: int = 0
    faults: int = 0
    trouble: str = ""


class CheckTelemetry:
    """Collects without asking anybody, and writes from a thread of its own: no answer waits for it."""

    def __init__(self, replica: RestrictionReplica, clock: Callable[[], datetime]) -> None:
        self._replica, self._clock = replica, clock
        self._instance = this_process()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._asked: dict[UUID, tuple[UsableKey, datetime]] = {}
        self._refused: dict[At, RefusalCount] = {}
        self._first_refused: list[At] = []
        self._proven: set[At] = set()  # at which a refusal is written down
        self._instances: dict[tuple[UUID, str], InstanceReport] = {}
        # By service key and instance; of each key those heard most recently, as many as the database keeps.
        self._reported: dict[UUID, OrderedDict[str, ReportedState]] = {}
        self._held_over: dict[UsableKey, dict[int, ReportedHeldOver]] = {}
        self._asked_noted: dict[UUID, datetime] = {}
        self._used: set[UUID] = set()
        self._use_noted: dict[UUID, datetime] = {}
        self._here_noted = datetime.min.replace(tzinfo=UTC)
        self._ended, self._is_ending = threading.Event(), False
        self._thread = threading.Thread(target=self._write_on, name="notes", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def note_query(self, key: UsableKey, now: datetime) -> None:
        noted = self._asked_noted.get(key.id)
        if noted is None or now - noted > ALIVE_NOTED_EVERY:
            self._asked[key.id] = key, now
            self._asked_noted[key.id] = now
            self.note_use(key, now)

    def note_use(self, key: UsableKey, now: datetime) -> None:
        """Somebody showed this service key."""
        noted = self._use_noted.get(key.id)
        if noted is None or now - noted > USE_NOTED_EVERY:
            self._use_noted[key.id] = now
            with self._lock:
                self._used.add(key.id)

    def note_refusal(
        self, key: UsableKey, restriction: int, epoch: str, first: datetime, last: datetime, times: int = 1
    ) -> None:
        at = key.id, restriction, epoch
        with self._lock:
            before = self._refused.get(at)
            if before is not None:
                first, last, times = min(before.first, first), max(before.last, last), before.times + times
            elif at not in self._proven:
                self._first_refused.append(at)
            self._refused[at] = RefusalCount(key, first, last, times)

    def note_instance(
        self,
        key: UsableKey,
        instance: str,
        sequence: int,
        now: datetime,
        *,
        faults: int = 0,
        trouble: str = "",
        is_ending: bool = False,
    ) -> None:
        """A gateway's client says up to where it knows the restrictions, how many it could not read, what is wrong with
        its copy on disk, and whether it ends now.
        """
        with self._lock:
            said = self._said_by(key, instance)
            if faults > said.faults:
                logger.error(
                    "Gateway %s, instance %s could not read %d restrictions or changes; update its client",
                    key.name,
                    instance,
                    faults,
                )
            if faults:
                said.faults = faults
            if trouble and trouble != said.trouble:
                logger.error("Gateway %s, instance %s keeps no usable copy on disk: %s", key.name, instance, trouble)
            said.trouble = trouble
            at = key.id, instance
            before = self._instances.get(at)
            propagations = list(before.propagations) if before else []
            if said.known < sequence:
                said.known = sequence
                propagations.append((sequence, now))
            self._instances[at] = InstanceReport(
                key.id, key.name, instance, sequence, now, propagations, trouble, is_ending
            )

    def _said_by(self, key: UsableKey, instance: str) -> ReportedState:
        """What an instance has said so far. Of too many, the one heard least recently is forgotten."""
        instances = self._reported.setdefault(key.id, OrderedDict())
        said = instances.setdefault(instance, ReportedState())
        instances.move_to_end(instance)
        if len(instances) > INSTANCES_KEPT:
            forgotten, _ = instances.popitem(last=False)
            self._instances.pop((key.id, forgotten), None)
        return said

    def note_held_over(self, key: UsableKey, restrictions: Iterable[ReportedHeldOver]) -> None:
        """A gateway's client still refuses because of these, which the database lost."""
        with self._lock:
            for one in restrictions:
                held = self._held_over.setdefault(key, {})
                if len(held) < MOST_REPORTED or one.number in held:
                    held[one.number] = one

    def _write_on(self) -> None:
        while not self._ended.wait(WRITTEN_EVERY):
            self.flush(counts=COUNTED_AT_A_TIME)
        self._is_ending = True
        self.flush()
        connection.close()

    def flush(self, *, counts: int | None = None) -> None:
        """Write down what was collected: every first refusal, further ones of as many restrictions as `counts` says.

        What cannot be written now is tried again, added to what comes meanwhile. When this returns, what was collected
        before the call has been tried, also where another thread was writing it.
        """
        with self._writing:
            self._flush(counts)

    def _flush(self, counts: int | None) -> None:
        with self._lock:
            asked, self._asked = self._asked, {}
            refused = {at: self._refused.pop(at) for at in self._first_refused}
            refused |= {at: self._refused.pop(at) for at in [*islice(self._refused, counts)]}
            self._first_refused = []
            instances, self._instances = self._instances, {}
            held_over, self._held_over = self._held_over, {}
            used, self._used = self._used, set()
        now = self._clock()
        own = [self._replica.propagations.popleft() for _ in range(len(self._replica.propagations))]
        here = self._own_reports(own, now)
        if not (here or asked or refused or instances or held_over or used):
            return
        queries = [AccessReport(key.id, key.name, at) for key, at in asked.values()]
        reports: list[TelemetryReport] = [*here, *instances.values(), *queries]
        reports += [
            RefusalReport(seen.key.id, seen.key.name, number, seen.first, seen.last, seen.times)
            for (_, number, epoch), seen in refused.items()
            # After the database went back in time a number may be that of another restriction.
            if epoch == self._replica.restricted.epoch
        ]
        reports += [
            HeldOverReport(key.id, key.name, number, to_builtins(one))
            for key, held in held_over.items()
            for number, one in held.items()
        ]
        connection.close_if_unusable_or_obsolete()  # asked before its next use whether it still works
        try:
            note_service_keys_used(used, now=now)
            if dropped := save_reports(reports, now=now):
                logger.error("Dropped %d reports that do not fit the database; the first: %r", len(dropped), dropped[0])
            self._here_noted = now if here else self._here_noted
            if len(self._proven) > MOST_PROVEN:
                self._proven.clear()
            self._proven.update(refused)
        except Exception as error:  # noqa: BLE001 - the database may be away: answers go on, notes wait
            logger.warning("Cannot store what gateways reported yet: %s", type(error).__name__)
            connection.close()
            self._keep_for_later(refused, instances, own, used)

    def _own_reports(self, propagations: Sequence[tuple[int, datetime]], now: datetime) -> list[InstanceReport]:
        """Say that this process goes on, or ends, and what it knows; not more often than is needed."""
        if not (propagations or self._is_ending or now - self._here_noted > ALIVE_NOTED_EVERY):
            return []
        known = self._replica.restricted.sequence
        return [InstanceReport(None, "", self._instance, known, now, propagations, is_ending=self._is_ending)]

    def _keep_for_later(
        self,
        refused: dict[At, RefusalCount],
        instances: dict[tuple[UUID, str], InstanceReport],
        own: list[tuple[int, datetime]],
        used: set[UUID],
    ) -> None:
        for (_, number, epoch), seen in refused.items():
            self.note_refusal(seen.key, number, epoch, seen.first, seen.last, seen.times)
        with self._lock:
            kept = {at: seen for at, seen in instances.items() if at[1] in self._reported[at[0]]}
            self._instances = kept | self._instances
            self._used |= used
        self._replica.propagations.extendleft(reversed(own))
