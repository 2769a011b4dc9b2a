"""PostgreSQL and Valkey frozen (SIGSTOP) or away, under load: the check goes on, and all recovers by itself.

OUTAGE says how many seconds at least (0 for frozen servers, 10 for one that is away; 60 and 600 for a thorough run).
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
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
# So that PostgreSQL counts as silent soon.
SHORT = {"DATABASE_TIMEOUTS_WEB": "statement_timeout=5s"}


@pytest.fixture
def up(data: Path) -> Iterator[Up]:
    with running_up(data, SHORT) as one:
        yield one


@pytest.fixture
def load(up: Up, tmp_path: Path) -> Iterator[Load]:
    with running_load(up, tmp_path, decisions=5_000) as one:
        wait_until(lambda: bool(one.acknowledged and one.decided), "the load has begun")
        yield one


def freeze(server: psutil.Process) -> list[psutil.Process]:
    server.suspend()  # first, so that it starts no other
    frozen = [server, *server.children(recursive=True)]
    for process in frozen[1:]:
        with suppress(psutil.NoSuchProcess):  # it was ending
            process.suspend()
    return frozen


def thaw(frozen: list[psutil.Process]) -> None:
    for process in frozen:
        with suppress(psutil.NoSuchProcess):  # its caller gave up, and it was ended
            process.resume()


def see_all_go_on(up: Up, load: Load) -> None:
    mark = load.mark()
    wait_until(lambda: load.goes_on_since(mark), "usage and decisions are taken")
    wait_until(lambda: decision(up.check_port, load.asking, load.decided[-1]) == "deny", "decisions are in force")


def see_check_go_on(load: Load) -> None:
    asked = load.answers.total()
    wait_until(lambda: load.answers.total() > asked + TAKEN, "the check goes on")


@pytest.mark.long
class TestAServer:
    def test_postgresql_stops_no_check_and_is_answered_503(self, up: Up, load: Load, measured: Measured) -> None:
        frozen = freeze(server_of(up, "postgres"))
        try:
            wait_until(lambda: load.statuses["503"] >= REFUSALS, "usage and decisions are refused")
            see_check_go_on(load)
            status, said = manage_status(up, "doctor")
            time.sleep(FROZEN)
        finally:
            thaw(frozen)
        see_all_go_on(up, load)
        load.end()

        measured(str(load))
        assert (status, "PostgreSQL does not answer" in said) == (1, True)
        assert set(load.answers) == {"deny"}
        load.assert_nothing_lost_or_doubled()

    def test_valkey_delays_work_and_loses_none(self, up: Up, load: Load, measured: Measured) -> None:
        frozen = freeze(server_of(up, "valkey"))
        try:
            see_all_go_on(up, load)
            see_check_go_on(load)
            status, said = manage_status(up, "doctor")
            time.sleep(FROZEN)
        finally:
            thaw(frozen)
        see_all_go_on(up, load)
        load.end()

        measured(str(load))
        assert (status, "The broker does not answer" in said) == (1, True)
        assert set(load.answers) == {"deny"}
        load.assert_nothing_lost_or_doubled()

    def test_valkey_that_ends_as_soon_as_it_starts_delays_work_and_loses_none(
        self, up: Up, load: Load, measured: Measured
    ) -> None:
        until, ended = time.monotonic() + AWAY, 0
        while time.monotonic() < until:
            with suppress(StopIteration, psutil.Error):  # it is not there now
                server_of(up, "valkey").kill()
                ended += 1
            time.sleep(0.05)
        see_all_go_on(up, load)
        load.end()

        measured(f"ended {ended} times in {AWAY:.0f} s; {load}")
        assert ended > 1
        assert set(load.answers) == {"deny"}
        load.assert_nothing_lost_or_doubled()
