"""PostgreSQL and Valkey frozen (SIGSTOP) or away, under load: the check goes on, and all recovers by itself.

OUTAGE says how many seconds at least (0 for frozen servers, 10 for one that is away; 60 and 600 for a thorough run).
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.flows.load_on_up import Load, running_load
from tests.flows.running_up import Up, data, decision, manage_status, running_up, server_of
from tests.measuring import Measured
from tests.waiting import wait_until

__all__ = ["data"]  # a fixture

FROZEN, AWAY = (float(os.environ.get("OUTAGE", usual)) for usual in (0, 10))
REFUSALS = 10
TAKEN = 10  # batches and decisions
MOST_DECISIONS = 5_000 + int(10 * (2 * FROZEN + AWAY))  # far more than are made
# So that PostgreSQL counts as silent soon.
SHORT = {"DATABASE_TIMEOUTS_WEB": "statement_timeout=5s"}


@pytest.fixture
def up(data: Path) -> Iterator[Up]:
    with running_up(data, SHORT) as one:
        yield one


@pytest.fixture
def load(up: Up, tmp_path: Path) -> Iterator[Load]:
    with running_load(up, tmp_path, decisions=MOST_DECISIONS) as one:
        wait_until(lambda: bool(one.acknowledged and one.decided), "the load has begun")
        yield one


@contextmanager
def frozen(server: psutil.Process) -> Iterator[None]:
    server.suspend()  # first, so that it starts no other
    processes = [server, *server.children(recursive=True)]
    try:
        for process in processes[1:]:
            with suppress(psutil.NoSuchProcess):  # it was ending
                process.suspend()
        yield
        time.sleep(FROZEN)
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):  # its caller gave up, and it was ended
                process.resume()


def see_all_go_on(up: Up, load: Load) -> None:
    mark = load.mark()
    wait_until(lambda: load.goes_on_since(mark), "usage and decisions are taken")
    wait_until(lambda: decision(up.check_port, load.asking, load.decided[-1]) == "deny", "decisions are in force")


def see_check_go_on(load: Load) -> None:
    asked = load.answers.total()
    wait_until(lambda: load.answers.total() > asked + TAKEN, "the check goes on")


def postgresql_frozen_is_answered_503(up: Up, load: Load) -> None:
    with frozen(server_of(up, "postgres")):
        wait_until(lambda: load.statuses["503"] >= REFUSALS, "usage and decisions are refused")
        see_check_go_on(load)
        status, said = manage_status(up, "doctor")
    assert (status, "PostgreSQL does not answer" in said) == (1, True)


def valkey_frozen_delays_work(up: Up, load: Load) -> None:
    with frozen(server_of(up, "valkey")):
        see_all_go_on(up, load)
        see_check_go_on(load)
        status, said = manage_status(up, "doctor")
    assert (status, "The broker does not answer" in said) == (1, True)


def valkey_that_ends_as_soon_as_it_starts_delays_work(up: Up, load: Load) -> None:
    until, ended = time.monotonic() + AWAY, 0
    while time.monotonic() < until:
        with suppress(StopIteration, psutil.Error):  # it is not there now
            server_of(up, "valkey").kill()
            ended += 1
        time.sleep(0.05)
    assert ended > 1


OUTAGES = [
    postgresql_frozen_is_answered_503,
    valkey_frozen_delays_work,
    valkey_that_ends_as_soon_as_it_starts_delays_work,
]


@pytest.mark.long
def test_outages_one_after_the_other_stop_no_check_and_lose_nothing(up: Up, load: Load, measured: Measured) -> None:
    for outage in OUTAGES:
        outage(up, load)
        see_all_go_on(up, load)
        measured(f"{outage.__name__}: {load}")
        assert set(load.answers) == {"deny"}, outage.__name__
    load.end()

    assert set(load.answers) == {"deny"}
    load.assert_nothing_lost_or_doubled()
