"""How long a statement, a lock and an idle transaction may last, by the kind of process that asks the database.

A web process gives up soon: somebody waits for its answer, and it has few connections. A worker may take longer. A
command that somebody started, such as a migration, waits as long as it takes.
"""

import os
from collections.abc import Mapping
from typing import Final

PROCESS: Final = "STILLWATCH_PROCESS"

Timeouts = dict[str, str]

DEFAULTS: Final[Mapping[str, Timeouts]] = {
    "web": {"statement_timeout": "60s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "30s"},
    "worker": {"statement_timeout": "10min", "lock_timeout": "60s", "idle_in_transaction_session_timeout": "10min"},
    "command": {"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0"},
}

# Of libpq: how a connection is given up whose server, or the network to it, is gone without a word.
LEAVES_LOST_SERVERS: Final[Mapping[str, int]] = {
    "connect_timeout": 5,  # seconds
    "keepalives_idle": 10,  # seconds; then one each interval, and after that many without an answer it is over
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds until what was sent has to have been received
}


def set_process_kind(process: str) -> None:
    """Set what kind of process this is: "web", "worker" or "command". Call it before the settings are read."""
    os.environ[PROCESS] = process


def connection_options(timeouts: Timeouts, *, before: str = "") -> str:
    """The timeouts as a connection's `connection_options`; those in `before` count more."""
    return " ".join([*(f"-c {name}={value}" for name, value in timeouts.items()), before]).strip()
