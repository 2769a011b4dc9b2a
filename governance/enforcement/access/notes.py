"""What a web process remembers of its answers until it is written down: who asked, who knows what, who was refused."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection

from governance.enforcement.access.keeper import Keeper
from governance.enforcement.access.rows import Key
from governance.enforcement.recording import Asked, HolderSeen, RefusedTimes, note_access

logger = logging.getLogger(__name__)

WRITTEN_EVERY: Final = 0.5
ALIVE_NOTED_EVERY: Final = timedelta(seconds=5)


class Refused(NamedTuple):
    """How often, and when first and last, a gateway was told to refuse because of a restriction."""

    first: datetime
    last: datetime
    times: int


class Notes:
    """Collects without asking anybody, and writes from a thread of its own: no answer waits for it."""

    def __init__(self, keeper: Keeper, clock: Callable[[], datetime]) -> None:
        self._keeper, self._clock = keeper, clock
        self._instance = f"{socket.gethostname()}-{os.getpid()}"
        self._lock = threading.Lock()
        self._asked: dict[Key, datetime] = {}
        self._refused: dict[tuple[Key, int], Refused] = {}
        self._holders: dict[tuple[Key, str], HolderSeen] = {}
        self._known: dict[tuple[Key, str], int] = {}  # up to where each was known to know
        self._asked_noted: dict[Key, datetime] = {}
        self._here_noted = datetime.min.replace(tzinfo=UTC)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="notes", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def asked(self, key: Key, now: datetime) -> None:
        noted = self._asked_noted.get(key)
        if noted is None or now - noted > ALIVE_NOTED_EVERY:
            self._asked[key] = self._asked_noted[key] = now

    def refused(self, key: Key, restriction: int, first: datetime, last: datetime, times: int = 1) -> None:
        with self._lock:
            before = self._refused.get((key, restriction))
            self._refused[key, restriction] = (
                Refused(min(before.first, first), max(before.last, last), before.times + times)
                if before
                else Refused(first, last, times)
            )

    def holds(self, key: Key, instance: str, sequence: int, now: datetime) -> None:
        """A gateway's client says up to where it knows the restrictions."""
        with self._lock:
            before = self._holders.get((key, instance))
            arrivals = list(before.arrivals) if before else []
            if self._known.get((key, instance), 0) < sequence:
                self._known[key, instance] = sequence
                arrivals.append((sequence, now))
            self._holders[key, instance] = HolderSeen(key.id, key.name, instance, sequence, now, arrivals)

    def _write_on(self) -> None:
        while not self._ended.wait(WRITTEN_EVERY):
            self.write()
        connection.close()

    def write(self) -> None:
        """Write down what was collected. What cannot be written now is tried again, added to what comes meanwhile."""
        with self._lock:
            asked, self._asked = self._asked, {}
            refused, self._refused = self._refused, {}
            holders, self._holders = self._holders, {}
        now = self._clock()
        own = [self._keeper.arrivals.popleft() for _ in range(len(self._keeper.arrivals))]
        if own or now - self._here_noted > ALIVE_NOTED_EVERY:
            here = [HolderSeen(None, "", self._instance, self._keeper.restricted.sequence, now, own)]
        else:
            here = []
        if not (here or asked or refused or holders):
            return
        try:
            note_access(
                asked=[Asked(key.id, key.name, at) for key, at in asked.items()],
                refused=[RefusedTimes(key.id, key.name, number, *seen) for (key, number), seen in refused.items()],
                holders=[*here, *holders.values()],
                now=now,
            )
            self._here_noted = now if here else self._here_noted
        except Exception as error:  # noqa: BLE001 - the database may be away: answers go on, notes wait
            logger.warning("What gateways asked cannot be written down yet: %s", type(error).__name__)
            connection.close()
            self._keep_for_later(refused, holders, own)

    def _keep_for_later(
        self,
        refused: dict[tuple[Key, int], Refused],
        holders: dict[tuple[Key, str], HolderSeen],
        own: list[tuple[int, datetime]],
    ) -> None:
        for (key, number), seen in refused.items():
            self.refused(key, number, *seen)
        with self._lock:
            self._holders = holders | self._holders
        self._keeper.arrivals.extendleft(reversed(own))
