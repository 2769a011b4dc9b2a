"""Counts refusals until they have been reported to Stillwatch: the proof that restrictions are in force here."""

import time
from collections.abc import Container
from typing import Any, Final

REPORTED: Final = 500


class RefusalCounts:
    """How often, and when first and last, requests were refused because of each restriction. Threads may share it."""

    def __init__(self) -> None:
        self._counted: dict[int, list[float]] = {}

    def note(self, number: int) -> None:
        now = time.time()
        counted = self._counted.get(number)
        if counted is None:
            self._counted[number] = [now, now, 1]
        else:
            counted[1] = now
            counted[2] += 1

    def report(self) -> list[dict[str, Any]]:
        found = list(self._counted.items())[:REPORTED]
        return [{"number": n, "first": first, "last": last, "count": count} for n, (first, last, count) in found]

    def forget_reported(self, report: list[dict[str, Any]]) -> None:
        """Forget what Stillwatch has taken."""
        for one in report:
            counted = self._counted.pop(one["number"], None)
            if counted is not None and (more := counted[2] - one["count"]):
                self._counted[one["number"]] = [counted[1], counted[1], more]

    def forget(self, numbers: Container[int]) -> None:
        """Forget those of numbers that mean something else from now on."""
        for number in [number for number in self._counted if number in numbers]:
            self._counted.pop(number, None)
