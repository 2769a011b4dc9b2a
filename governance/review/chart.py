"""Turn hours of use into the bars of a chart, as numbers for a drawing 100 units high. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

HEIGHT = 100.0
STEP = 10.0  # from one bar to the next, in the drawing's units
GAP = 2.0
SHOWN_BY_HOUR = timedelta(days=4)


class HourlyUse(NamedTuple):
    """What happened in the hour that starts at `hour`."""

    hour: datetime
    requests: int
    output_tokens: int


class Bar(NamedTuple):
    """One bar and the words that go with it. Lengths are in the drawing's units, y grows downwards."""

    x: float
    y: float
    height: float
    value: int
    label: str

    @property
    def inner_x(self) -> float:
        """Where the bar itself begins: half the gap is left on each side."""
        return self.x + GAP / 2


@dataclass(frozen=True, slots=True)
class BarPanel:
    """Bars side by side, the tallest as high as the drawing."""

    bars: tuple[Bar, ...]
    most: int

    @property
    def width(self) -> float:
        return len(self.bars) * STEP


@dataclass(frozen=True, slots=True)
class UsageChart:
    """Use over time, in hours or in days (`unit`), and by the hour of the day."""

    unit: str
    start: datetime
    end: datetime
    labels: tuple[str, ...]
    requests: BarPanel
    output_tokens: BarPanel
    by_hour: BarPanel

    @property
    def last_label(self) -> str:
        return self.labels[-1]

    @property
    def rows(self) -> list[tuple[str, int, int]]:
        """The same as a table, without the empty stretches: label, requests, output tokens."""
        pairs = zip(self.labels, self.requests.bars, self.output_tokens.bars, strict=True)
        return [(label, one.value, other.value) for label, one, other in pairs if one.value]


def draw_chart(uses: Sequence[HourlyUse]) -> UsageChart | None:
    """Draw these hours, given in order; None where there are none. By the hour up to four days, else by the day."""
    if not uses:
        return None
    first, last = uses[0].hour, uses[-1].hour
    hourly = last - first < SHOWN_BY_HOUR
    unit = timedelta(hours=1) if hourly else timedelta(days=1)
    start = first if hourly else first.replace(hour=0)
    steps = (last - start) // unit + 1
    requests, tokens, by_hour = [0] * steps, [0] * steps, [0] * 24
    for use in uses:
        place = (use.hour - start) // unit
        requests[place] += use.requests
        tokens[place] += use.output_tokens
        by_hour[use.hour.hour] += use.requests
    labels = tuple(_label(start + unit * place, hourly=hourly) for place in range(steps))
    return UsageChart(
        unit="hour" if hourly else "day",
        start=start,
        end=start + unit * (steps - 1),
        labels=labels,
        requests=_panel(requests, labels, "requests"),
        output_tokens=_panel(tokens, labels, "output tokens"),
        by_hour=_panel(by_hour, [f"{hour:02}:00–{hour:02}:59" for hour in range(24)], "requests"),
    )


def _label(moment: datetime, *, hourly: bool) -> str:
    return f"{moment:%a %-d %b, %H:00}" if hourly else f"{moment:%a %-d %b}"


def _panel(values: Sequence[int], labels: Iterable[str], unit: str) -> BarPanel:
    most = max(values)
    return BarPanel(
        bars=tuple(
            Bar(
                x=place * STEP,
                y=round(HEIGHT - _height(value, most), 1),
                height=_height(value, most),
                value=value,
                label=f"{label}: {value:,} {unit}",
            )
            for place, (value, label) in enumerate(zip(values, labels, strict=True))
        ),
        most=most,
    )


def _height(value: int, most: int) -> float:
    """In proportion, yet never so low that something looks like nothing."""
    return max(1.5, round(HEIGHT * value / most, 1)) if value else 0.0
