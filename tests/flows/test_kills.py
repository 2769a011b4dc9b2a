"""`kill -9` of each process of `manage.py up` in turn, under load: nothing acknowledged is lost or doubled, nobody who
is blocked is let in, and all comes back without a hand. KILLS says how often (200 for a thorough run).
"""

import os
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psutil
import psycopg
import pytest

from governance.platform import embedded
from tests.flows.load_on_up import Load, running_load
from tests.flows.running_up import NO_ANSWER, VICTIMS, Up, data, decision, health, left_of, up
from tests.measuring import Measured
from tests.waiting import wait_until

__all__ = ["data", "up"]  # fixtures

KILLS = int(os.environ.get("KILLS", "30"))
DECISIONS_A_KILL = 400  # far more than are made


def heartbeats(data: Path) -> dict[str, float]:
    with psycopg.connect(embedded.addresses(data).owner_url) as connection:
        rows = connection.execute("SELECT queue, extract(epoch FROM at)::float8 FROM platform_heartbeat")
        return dict(rows.fetchall())


def missing(up: Up, load: Load, victim: str, killed: psutil.Process, at: float) -> str:
    """What does not work yet: the victim, everything else, or either queue since then; empty where all does."""
    try:
        if (found := VICTIMS[victim](up)).pid == killed.pid:
            return "it still runs"
        if silent := embedded.silent_servers(up.data):
            return f"no answer of {silent}"
        began = max(at, found.create_time())
        beats = heartbeats(up.data)
        is_there = {
            "web server": health(up.port) == 200,
            "check": health(up.check_port) == 200,
            **{f"queue {queue}": beat > began for queue, beat in beats.items()},
            "usage": load.newest_acknowledged() > began,
            "decisions": decision(up.check_port, load.asking, load.newest_decided_since(began)) == "deny",
        }
    except (*NO_ANSWER, LookupError, StopIteration, psutil.Error, psycopg.Error) as error:
        return repr(error)
    return ", ".join(what for what, works in is_there.items() if not works)


def wait_until_all_is_back(up: Up, load: Load, victim: str, killed: psutil.Process, at: float, number: int) -> None:
    lacks = [""]

    def is_back() -> bool:
        lacks[0] = missing(up, load, victim, killed, at)
        return not lacks[0]

    try:
        wait_until(is_back, f"the {victim} is back (kill {number})")
    except AssertionError as error:
        error.add_note(f"missing: {lacks[0]}; the newest heartbeats: {heartbeats(up.data)}, killed at {at}\n{up.said}")
        raise


@pytest.fixture
def load(up: Up, tmp_path: Path) -> Iterator[Load]:
    with running_load(up, tmp_path, decisions=DECISIONS_A_KILL * KILLS) as one:
        yield one


@pytest.mark.long
def test_whatever_is_killed_comes_back_with_nothing_lost_and_nobody_let_in(
    up: Up, load: Load, measured: Measured
) -> None:
    took: dict[str, list[float]] = defaultdict(list)
    orphans: list[psutil.Process] = []
    for number in range(KILLS):
        name = [*VICTIMS][number % len(VICTIMS)]
        victim, at, began = VICTIMS[name](up), time.time(), time.monotonic()
        orphans += victim.children(recursive=True)
        victim.kill()
        wait_until_all_is_back(up, load, name, victim, at, number)
        took[name].append(time.monotonic() - began)
    load.end()
    back = ", ".join(f"{name} {median(seconds):.1f} s, at most {max(seconds):.1f} s" for name, seconds in took.items())
    measured(f"{KILLS} kills; {load}; until all was back, median: {back}")
    load.assert_nothing_lost_or_doubled()
    left_while_up_runs = left_of(orphans)
    family = up.family()
    status = up.end(signal.SIGINT)

    assert set(load.answers) == {"deny"}
    assert status == 0
    assert left_while_up_runs == []
    assert left_of(family) == []
    assert up.at_work() == []
