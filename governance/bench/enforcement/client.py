"""The gateway's client: what a decision costs, and what a million names take up; in a process of its own."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import psutil

from governance.bench.figure import Figure
from governance.bench.scale import FULL, Scale

PROJECT: Final = Path(__file__).parents[3]
RESTRICTIONS: Final = 250_000
KEYS: Final = 3
ASKED: Final = 20_000
ROUNDS: Final = 15


def measure_decisions(scale: Scale = FULL) -> Iterator[Figure]:
    """As a process that has nothing else in it measures it."""
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(scale.count(RESTRICTIONS))],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    measured = json.loads(done.stdout)
    for who, name in (("few_us", "few customers who ask much"), ("any_us", "customers drawn evenly")):
        median, p99 = measured[who]
        yield Figure(f"client: a decision, {name}: median", median, "µs")
        yield Figure(f"client: a decision, {name}: p99", p99, "µs")
    yield Figure(f"client: memory of {measured['names']:,} names", measured["names_mib"], "MiB")
    yield Figure("client: memory at most while it reads a snapshot", measured["peak_mib"], "MiB")
    yield Figure("client: reading a snapshot", measured["seconds"], "s")


def _time(restricted: Any, customer: int) -> int:
    """Nanoseconds of a decision about a customer, half of whom are blocked, by account and key."""
    names = (f"account:acct_{customer:07}", f"key:key_{customer}_1")
    began = time.perf_counter_ns()
    restricted.decide(names, now=1.0)
    return time.perf_counter_ns() - began


def _quickest(decision: Callable[[], int]) -> tuple[float, float]:
    """Median and p99 in µs of the quickest of some rounds: what else the machine does only ever adds."""
    rounds = [sorted(decision() for _ in range(ASKED)) for _ in range(ROUNDS)]
    best = min(rounds, key=lambda times: times[int(0.99 * ASKED)])
    return best[ASKED // 2] / 1000, best[int(0.99 * ASKED)] / 1000


def _measure(restrictions: int) -> dict[str, Any]:
    # Here, so that what Stillwatch itself needs is not in this process.
    from stillwatch_gateway.entries import FOREVER, EntryTerms, RestrictionEntry  # noqa: PLC0415
    from stillwatch_gateway.restriction_set import RestrictionSet  # noqa: PLC0415

    own = psutil.Process()
    before = own.memory_info().rss
    peak = 0
    terms = EntryTerms("block", "bulk_harvest")

    def entries() -> Iterator[RestrictionEntry]:
        nonlocal peak
        for number in range(1, restrictions + 1):
            keys = (f"key:key_{number}_{letter}" for letter in range(KEYS))
            name = f"account:acct_{number:07}"
            yield RestrictionEntry(number, terms, 0.0, FOREVER, (name, *keys), target=name)
            if number % 10_000 == 0:
                peak = max(peak, own.memory_info().rss)

    began = time.perf_counter()
    restricted = RestrictionSet(entries(), restrictions)
    seconds = time.perf_counter() - began
    after = own.memory_info().rss
    dice = random.Random(1)  # noqa: S311 - seeded, no secrets
    few = _quickest(lambda: _time(restricted, int(min(dice.paretovariate(1.1), 2 * restrictions))))
    any_of_all = _quickest(lambda: _time(restricted, dice.randrange(2 * restrictions)))
    return {
        "few_us": few,
        "any_us": any_of_all,
        "names": restrictions * (1 + KEYS),
        "names_mib": (after - before) / 2**20,
        "peak_mib": (max(peak, after) - before) / 2**20,
        "seconds": seconds,
    }


if __name__ == "__main__":
    json.dump(_measure(int(sys.argv[1])), sys.stdout)
