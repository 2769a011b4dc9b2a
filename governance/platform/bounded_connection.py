"""Connections that give up on a PostgreSQL that says nothing, as one that is frozen or cut off by the network does.

PostgreSQL's own timeouts (timeouts.py) need it to run, and those of TCP only see whether its machine answers. Without
this a process would go on waiting on the connections it has, although new ones reach a server that took over.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen

RV = TypeVar("RV")

# PostgreSQL comes first where it runs: it ends a statement that takes too long, and says so.
MARGIN_SECONDS: Final = 5.0
SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


class BoundedConnection(psycopg.Connection[Any]):
    """Is closed once PostgreSQL has said nothing for `silent_seconds` while it is waited for; None waits for ever."""

    silent_seconds: float | None = None

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if timeout is not None or self.silent_seconds is None:  # a timeout is psycopg's own, and so is what follows
            return super().wait(gen, interval, timeout)
        return super().wait(self._with_deadline(gen, self.silent_seconds), interval)

    def _with_deadline(self, gen: PQGen[RV], most: float) -> PQGen[RV]:
        """Do what `gen` does. Raises psycopg.OperationalError when it hears nothing; psycopg asks at each interval."""
        heard_at = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                now = time.monotonic()
                if ready:
                    heard_at = now
                elif now - heard_at > most:
                    self.pgconn.finish()  # nobody knows what it would answer next
                    raise psycopg.OperationalError(f"PostgreSQL said nothing for {most:.0f} seconds")
                wanted = gen.send(ready)
        except StopIteration as done:
            result: RV = done.value
            return result

    @contextmanager
    def silent_for(self, seconds: float) -> Iterator[None]:
        """Let PostgreSQL say nothing for so long within the block."""
        before, self.silent_seconds = self.silent_seconds, seconds
        try:
            yield
        finally:
            self.silent_seconds = before


def longest_silence(statement_timeout: str) -> float | None:
    """A little longer than PostgreSQL may take, in seconds; None for as long as it takes.

    `statement_timeout` is written as PostgreSQL's setting of that name.
    """
    seconds = _seconds(statement_timeout)
    return seconds + MARGIN_SECONDS if seconds else None


def bounded_connection_class(most: float | None) -> type[BoundedConnection]:
    """Connections on which PostgreSQL may say nothing for `most` seconds."""
    return type("BoundedConnection", (BoundedConnection,), {"silent_seconds": most})


def _seconds(written: str) -> float:
    number, unit = re.fullmatch(r"\s*([\d.]+)\s*([a-z]*)\s*", written).groups()  # type: ignore[union-attr]
    return float(number) * SECONDS[unit]
