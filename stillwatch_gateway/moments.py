"""Moments that stay comparable over a suspended machine, a clock that is set, and a restart of the process."""

import time
from functools import partial
from math import inf
from pathlib import Path
from typing import Final, NamedTuple

# Seconds on a clock that nobody sets; on Linux it counts while the machine sleeps too.
running: Final = partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Moment(NamedTuple):
    """A moment by two clocks: the wall's, which may be set, and one that goes on, also while the machine sleeps."""

    wall: float
    running: float
    boot: str

    @classmethod
    def now(cls) -> "Moment":
        return cls(time.time(), running(), BOOT)

    def seconds_until(self, later: "Moment") -> float:
        """Never fewer than have passed, as far as any clock can tell; infinite where none can."""
        by_wall = later.wall - self.wall
        by_running = later.running - self.running
        if self.boot == later.boot:  # since when that clock only goes on
            return max(by_running, by_wall) if by_running >= 0 else inf
        return by_wall if by_wall >= 0 else inf

    def text(self) -> str:
        return f"{self.wall!r} {self.running!r} {self.boot}"


def read_moment(text: str) -> Moment | None:
    try:
        wall, running, boot = text.split()
        return Moment(float(wall), float(running), boot)
    except ValueError:
        return None


def _boot() -> str:
    try:
        return BOOT_ID.read_text("ascii").strip()
    except (OSError, ValueError):
        return f"unknown-{time.time_ns()}"  # of this process only


BOOT: Final = _boot()
