"""When in the week an account is active: 24 hours by 7 days, as numbers for a drawing and in a sentence. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CELL: Final = 20
# The least that is drawn of something, so that it does not look like nothing.
FAINTEST: Final = 0.12
NIGHT_HOURS: Final = 8


class HeatCell(NamedTuple):
    """One hour of a day of the week. `opacity` is from 0 to 1, and the largest cell has 1."""

    x: int
    y: int
    requests: int
    opacity: float
    label: str


class HeatRow(NamedTuple):
    day: str
    cells: list[HeatCell]

    @property
    def label_y(self) -> int:
        """Where the name of the day stands: at the middle of its row."""
        return self.cells[0].y + CELL // 2


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Requests by hour and day of the week, in UTC. `summary` says in words what the drawing shows."""

    rows: list[HeatRow]
    most: int
    summary: str

    @property
    def hours(self) -> list[tuple[int, int]]:
        """The hours that are named below, and where."""
        return [(hour, hour * CELL) for hour in (0, 6, 12, 18)]


def build_heat_map(uses: Iterable[tuple[datetime, int]]) -> HeatMap | None:
    """Return the heat map of these hours with their requests; None where there are no requests."""
    counts = [[0] * 24 for _ in DAYS]
    for hour, requests in uses:
        counts[hour.weekday()][hour.hour] += requests
    most = max(max(day) for day in counts)
    if not most:
        return None
    rows = [
        HeatRow(name, [_cell(name, place, hour, requests, most) for hour, requests in enumerate(counts[place])])
        for place, name in enumerate(DAYS)
    ]
    return HeatMap(rows, most, _summary(counts, most))


def _cell(day: str, place: int, hour: int, requests: int, most: int) -> HeatCell:
    opacity = round(max(FAINTEST, requests / most), 2) if requests else 0.0
    return HeatCell(hour * CELL, place * CELL, requests, opacity, f"{day} {_span(hour, 1)}: {requests:,}")


def _summary(counts: list[list[int]], most: int) -> str:
    total = sum(map(sum, counts))
    place, hour = next((place, day.index(most)) for place, day in enumerate(counts) if most in day)
    by_hour = [sum(day[clock] for day in counts) for clock in range(24)]
    start = min(range(24), key=lambda first: sum(_night(by_hour, first)))
    used = sum(1 for day in counts for requests in day if requests)
    return (
        f"Most requests come on {DAYS[place]}s, {_span(hour, 1)} UTC ({most:,}). "
        f"The quietest {NIGHT_HOURS} hours of the day are {_span(start, NIGHT_HOURS)}, "
        f"with {sum(_night(by_hour, start)) / total:.0%} of the requests. "
        f"It was active in {used} of the 168 hours of a week."
    ).replace("% of", " % of")


def _night(by_hour: list[int], first: int) -> list[int]:
    return (by_hour * 2)[first : first + NIGHT_HOURS]


def _span(first: int, hours: int) -> str:
    return f"{first:02}:00–{(first + hours - 1) % 24:02}:59"
