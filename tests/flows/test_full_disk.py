"""A disk that fills up, under load: usage is refused and not lost, the check goes on, and all recovers by itself."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.flows.load_on_up import Load, running_load
from tests.flows.running_up import Up, decision, manage_status, running_up
from tests.measuring import Measured
from tests.waiting import wait_until

DISK = "640m"
CHUNK = 1 << 20
REFUSALS = 5  # answers of 503 to wait for, while the disk stays full


@pytest.fixture
def small_disk() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="stillwatch-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "stillwatch-test", str(folder)]
    try:
        if sys.platform != "linux" or subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("only root may mount a small disk, on Linux")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        folder.rmdir()


@pytest.fixture
def up(small_disk: Path) -> Iterator[Up]:
    with running_up(small_disk / "data") as one:
        yield one


@pytest.fixture
def load(up: Up, tmp_path: Path) -> Iterator[Load]:
    with running_load(up, tmp_path, decisions=5_000) as one:
        yield one


class Ballast:
    """A file that takes what is free."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._file = folder, folder / "ballast"

    def leave(self, percent: float) -> None:
        disk = os.statvfs(self._folder)
        free = disk.f_bavail * disk.f_frsize - int(disk.f_blocks * disk.f_frsize * percent / 100)
        with self._file.open("ab") as file:
            file.write(bytes(max(free, 0)))

    def take_all(self) -> None:
        with suppress(OSError), self._file.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(CHUNK))
        with suppress(OSError), self._file.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def remove(self) -> None:
        self._file.unlink()


@pytest.mark.long
def test_a_full_disk_loses_nothing_and_heals_once_there_is_space(
    up: Up, load: Load, small_disk: Path, measured: Measured
) -> None:
    ballast = Ballast(small_disk)
    wait_until(lambda: bool(load.acknowledged and load.decided), "the load has begun")
    ballast.leave(5)
    status, warned = manage_status(up, "doctor")

    def is_refused() -> bool:
        ballast.take_all()  # what PostgreSQL gives back, such as old files of its log
        return load.statuses["503"] >= REFUSALS

    wait_until(is_refused, "usage is refused")
    refused_asked = load.answers.total()
    wait_until(lambda: load.answers.total() > refused_asked, "the check goes on")
    ballast.remove()
    freed = load.mark()
    wait_until(lambda: load.goes_on_since(freed), "usage and decisions are taken again")
    wait_until(lambda: decision(up.check_port, load.asking, load.decided[-1]) == "deny", "decisions are in force again")
    load.end()

    measured(str(load))
    assert status == 1
    assert "of the disk of" in warned
    assert set(load.answers) == {"deny"}
    load.assert_nothing_lost_or_doubled()
