"""Wait for notifications of PostgreSQL, or until another thread wakes this one."""

import selectors
import socket
from contextlib import suppress
from threading import Event
from typing import Final

from psycopg import sql

from governance.gateways.check.sql import Connection

# Between looks that were asked for: many requests for looks cost the database no more than this.
PAUSE_BETWEEN_LOOKS: Final = 0.02


class NotificationListener:
    """Any thread may `wake` the one that waits."""

    def __init__(self, ended: Event) -> None:
        self._ended = ended
        self._wakes, self._waker = socket.socketpair()
        for end in (self._wakes, self._waker):
            end.settimeout(0)

    @staticmethod
    def listen(database: Connection, *channels: str) -> None:
        for channel in channels:
            database.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))

    def wake(self) -> None:
        with suppress(OSError):  # it has been woken often enough already, or has ended
            self._waker.send(b"\0")

    def wait(self, database: Connection, seconds: float) -> set[str]:
        """Wait for a call, for so long at most; return the channels on which PostgreSQL called."""
        calls = list(database.notifies(timeout=0))
        if not calls:
            with selectors.DefaultSelector() as selector:
                selector.register(database, selectors.EVENT_READ)
                selector.register(self._wakes, selectors.EVENT_READ)
                ready = [key.fileobj for key, _ in selector.select(seconds)]
            if self._wakes in ready:
                self._wakes.recv(4096)
                self._ended.wait(PAUSE_BETWEEN_LOOKS)
            calls = list(database.notifies(timeout=0))
        return {call.channel for call in calls}

    def close(self) -> None:
        self._wakes.close()
        self._waker.close()
