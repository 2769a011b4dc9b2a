"""Turn figures into the bars and lines of a chart, as numbers for a drawing 100 units high. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

HEIGHT: Final = 100.0
STEP: Final = 10.0  # from one column to the next, in the drawing's units
GAP: Final = 2.0
SHOWN_AT_LEAST: Final = 1.5  # what is more than nothing never looks like nothing


class ChartSeries(NamedTuple):
    """Values of one kind, one for each column; `style` is the class by which they are coloured."""

    name: str
    style: str
    values: Sequence[float]


class BarSegment(NamedTuple):
    """A rectangle. Lengths are in the drawing's units, y grows downwards."""

    x: float
    y: float
    width: float
    height: float
    style: str


class ChartColumn(NamedTuple):
    """What stands above one label, and the words for it."""

    x: float
    name: str
    label: str
    pieces: tuple[BarSegment, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns side by side. `top` is the value at the upper edge, a round number."""

    columns: tuple[ChartColumn, ...]
    series: tuple[ChartSeries, ...]
    top: float

    @property
    def labels(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def ends(self) -> list[str]:
        """The labels of the first and the last column, where there is no room for all."""
        return [self.columns[place].name for place in (0, -1)] if self.columns else []

    @property
    def width(self) -> float:
        return len(self.columns) * STEP

    @property
    def half(self) -> float:
        return self.top / 2


def round_up(most: float) -> float:
    """Return the least of 2, 4, 10, 20, 40, 100, … that is not below `most`, so that half of it is whole too.

    >>> [round_up(most) for most in (0, 1, 3, 7, 12, 41)]
    [2, 2, 4, 10, 20, 100]
    """
    unit = 1
    while True:
        for step in (2, 4, 10):
            if step * unit >= most:
                return step * unit
        unit *= 10


def draw_stacked(labels: Sequence[str], series: Sequence[ChartSeries]) -> Chart:
    """Draw the series on top of each other, the first at the bottom."""
    top = round_up(max((sum(values) for values in zip(*(one.values for one in series), strict=True)), default=0))
    columns = []
    for place, label in enumerate(labels):
        pieces, y = [], HEIGHT
        for one in series:
            height = _height(one.values[place], top)
            y = max(0.0, y - height)
            if height:
                pieces.append(BarSegment(place * STEP + GAP / 2, round(y, 1), STEP - GAP, height, one.style))
        columns.append(ChartColumn(place * STEP, label, _words(label, series, place), tuple(pieces)))
    return Chart(tuple(columns), tuple(series), top)


def draw_side_by_side(labels: Sequence[str], series: Sequence[ChartSeries]) -> Chart:
    """Draw the series beside each other above each label."""
    top = round_up(max((value for one in series for value in one.values), default=0))
    width = (STEP - GAP) / max(1, len(series))
    columns = []
    for place, label in enumerate(labels):
        pieces = []
        for number, one in enumerate(series):
            if height := _height(one.values[place], top):
                x = place * STEP + GAP / 2 + number * width
                pieces.append(BarSegment(round(x, 2), round(HEIGHT - height, 1), round(width, 2), height, one.style))
        columns.append(ChartColumn(place * STEP, label, _words(label, series, place), tuple(pieces)))
    return Chart(tuple(columns), tuple(series), top)


def _height(value: float, top: float) -> float:
    return max(SHOWN_AT_LEAST, round(HEIGHT * value / top, 1)) if value else 0.0


def _words(label: str, series: Sequence[ChartSeries], place: int) -> str:
    said = ", ".join(f"{one.name} {one.values[place]:,g}" for one in series)
    return f"{label}: {said}"
