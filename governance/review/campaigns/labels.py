"""Place the labels of a drawing so that none lies on another. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

# Of the drawing's type, in its units.
LETTER: Final = 7.6
LINE: Final = 16.0
STEPS: Final = 4


class Label(NamedTuple):
    """A text in the middle above or below a point: `above` and `below` are the first baselines on either side."""

    x: float
    y: float
    text: str
    above: float
    below: float
    is_above: bool


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: "_Box") -> float:
        """Return the area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)


def place_labels(labels: Sequence[Label], *, height: float) -> list[float]:
    """Return the baseline of each label, from its point: the first place that is free, or the one that covers least."""
    taken: list[_Box] = []
    places: list[float] = []
    for label in labels:
        tried = [place for place in _places(label) if LINE <= label.y + place <= height - 4] or [label.above]
        place = min(tried, key=lambda place: sum(_box(label, place).overlap(other) for other in taken))
        taken.append(_box(label, place))
        places.append(round(place, 1))
    return places


def _places(label: Label) -> list[float]:
    """The nearest first, on the side where it is wanted before the other."""
    places: list[float] = []
    for step in range(STEPS):
        both = label.above - step * LINE, label.below + step * LINE
        places.extend(both if label.is_above else reversed(both))
    return places


def _box(label: Label, place: float) -> _Box:
    half = len(label.text) * LETTER / 2
    return _Box(label.x - half, label.y + place - LINE + 3, label.x + half, label.y + place + 3)
