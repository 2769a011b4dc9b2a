"""The timetable that a worker keeps is a process of its own."""

from pathlib import Path

import psutil
import pytest

from governance.overview.models import HarmMeasure
from tests.flows.worker import running_worker
from tests.waiting import wait_until


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


@pytest.mark.django_db(transaction=True)
class TestATimetable:
    def test_ends_with_a_worker_that_is_killed_hard(self, tmp_path: Path) -> None:
        with running_worker(timetable=tmp_path / "timetable") as worker:
            wait_until(lambda: bool([*tmp_path.glob("timetable*")]), "the timetable was kept")
            wait_until(lambda: len(children(worker.pid)) == len(("timetable", "pool")), "both processes had begun")
            family = children(worker.pid)

            worker.kill()

            wait_until(lambda: not alive(family), "all had ended")


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_starts_measures_for_the_overview_at_once() -> None:
    with running_worker():
        wait_until(HarmMeasure.objects.exists, "the overview was measured")
