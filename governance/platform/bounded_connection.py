"""Connections that give up on a PostgreSQL that says nothing, as one that is frozen or cut off by the network does.

PostgreSQL's own timeouts (timeouts.py) need it to run. Without this a web process would lose one connection of its
pool after the other to a server that says nothing, and requests would wait for as long as that lasts.
"""

import re
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout

RV = TypeVar("RV")

# PostgreSQL comes first where it runs: it ends a statement that takes too long, and says so.
MARGIN_SECONDS: Final = 5.0
SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def connection_class(statement_timeout: str) -> type["psycopg.Connection[Any]"]:
    """Connections that wait a little longer for an answer than PostgreSQL may take, and then are closed.

    `statement_timeout` is written as PostgreSQL's setting of that name; zero means as long as it takes.
    """
    seconds = _seconds(statement_timeout)
    if not seconds:
        return psycopg.Connection
    most = seconds + MARGIN_SECONDS

    class BoundedConnection(psycopg.Connection[Any]):
        def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
            if timeout is not None:  # psycopg's own, and what follows is its own too
                return super().wait(gen, interval, timeout)
            try:
                return super().wait(gen, interval, most)
            except _WaitTimeout as error:
                self.pgconn.finish()  # nobody knows what it would answer next
                raise psycopg.OperationalError(f"PostgreSQL said nothing for {most:.0f} seconds") from error

    return BoundedConnection


def _seconds(written: str) -> float:
    number, unit = re.fullmatch(r"\s*([\d.]+)\s*([a-z]*)\s*", written).groups()  # type: ignore[union-attr]
    return float(number) * SECONDS[unit]
