"""`kill -9` of each process of `manage.py up` in turn, under load: nothing acknowledged is lost or doubled, nobody who
is blocked is let in, and all comes back without a hand. KILLS says how often (200 for a thorough run).
"""

import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from governance.platform import embedded
from tests.flows.load_on_up import Load, running_load
from tests.flows.running_up import NO_ANSWER, VICTIMS, Up, data, decision, health, left_of, up
from tests.waiting import wait_until

__all__ = ["data", "up"]  # fixtures

KILLS = int(os.environ.get("KILLS", "30"))
DECISIONS_A_KILL = 400  # far more than are made


def heartbeats(data: Path) -> dict[str, float]:
    with psycopg.connect(embedded.addresses(data).owner_url) as connection:
        rows = connection.execute("SELECT queue, extract(epoch FROM at)::float8 FROM platform_heartbeat")
        return dict(rows.fetchall())


def is_back(up: Up, load: Load, victim: str, killed: psutil.Process, at: float) -> bool:
    """Whether the victim runs again, everything else does too, and both queues have done something since."""
    try:
        if (found := VICTIMS[victim](up)).pid == killed.pid or embedded.silent(up.data):
            return False
        began = max(at, found.create_time())
        beats = heartbeats(up.data)
        return (
            health(up.port) == 200
            and health(up.check_port) == 200
            and min(beats.values()) > began
            and load.newest_acknowledged() > began
            and decision(up.check_port, load.asking, load.newest_decided_since(began)) == "deny"
        )
    except (*NO_ANSWER, LookupError, StopIteration, psutil.Error, psycopg.Error):
        return False


@pytest.fixture
def load(up: Up, tmp_path: Path) -> Iterator[Load]:
    with running_load(up, tmp_path, decisions=DECISIONS_A_KILL * KILLS) as one:
        yield one


@pytest.mark.long
def test_whatever_is_killed_comes_back_with_nothing_lost_and_nobody_let_in(up: Up, load: Load) -> None:
    took: dict[str, list[float]] = defaultdict(list)
    orphans: list[psutil.Process] = []
    for number in range(KILLS):
        name = [*VICTIMS][number % len(VICTIMS)]
        victim, at, began = VICTIMS[name](up), time.time(), time.monotonic()
        orphans += victim.children(recursive=True)
        victim.kill()
        wait_until(
            lambda name=name, victim=victim, at=at: is_back(up, load, name, victim, at),  # type: ignore[misc]
            f"the {name} is back (kill {number})",
        )
        took[name].append(time.monotonic() - began)
    load.end()
    longest = ", ".join(f"{name} {max(seconds):.1f} s" for name, seconds in took.items())
    sys.stdout.write(f"{KILLS} kills; {load}; longest until all was back: {longest}\n")
    load.assert_nothing_lost_or_doubled()
    left_while_up_runs = left_of(orphans)
    family = up.family()
    status = up.end(signal.SIGINT)

    assert set(load.answers) == {"deny"}
    assert "Traceback" not in up.said
    assert status == 0
    assert left_while_up_runs == []
    assert left_of(family) == []
    assert up.at_work() == []
