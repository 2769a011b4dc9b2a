"""How much the benchmarks do."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Scale:
    """Divides the counts and seconds of every benchmark.

    Published figures are measured at FULL; SMOKE shows only that every benchmark runs.
    """

    divisor: int

    def count(self, full: int, *, least: int = 1) -> int:
        return max(least, full // self.divisor)

    def seconds(self, full: float) -> float:
        return full / self.divisor


FULL: Final = Scale(1)
SMOKE: Final = Scale(200)
