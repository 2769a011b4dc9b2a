"""How much each figure of an account's content is worth: rising lines, fitted to labelled accounts. Pure.

A detector of content looks at a few figures of the account's usage. Each figure has a curve in `curves.toml`, which
gives nats (natural logarithms of a likelihood ratio) and never falls as the figure rises. The detector's strength is
the sum of its curves, as a share of the most they can give; its weight is that most. So the points of these detectors
add up to the log-odds of a generalised additive model (Hastie and Tibshirani 1986) whose every term is a finding.

`manage.py fit_content` writes the file; `fitting_curves` has the method.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from governance.detection.calibration import POINTS_PER_NAT
from governance.detection.finding import ramp
from governance.usage.account_usage import AccountUsage

# A figure of the usage; None where it was not measured, which is worth nothing.
Figure: TypeAlias = Callable[[AccountUsage], float | None]

PACKAGED: Final = Path(__file__).parent / "curves.toml"

# Ten prompts say less than a hundred: what they are worth grows with their number.
FEW_TEXTS: Final = 5
ENOUGH_TEXTS: Final = 30
WORTH_OF_FEW: Final = 0.6
LEAST_TEXTS: Final = 3


class Curve(msgspec.Struct, frozen=True):
    """A line that rises by `nats[i]` between `knots[i]` and `knots[i + 1]`.

    >>> Curve(knots=(0.0, 1.0, 3.0), nats=(0.5, 1.0)).at(2.0)
    1.0
    """

    knots: tuple[float, ...]
    nats: tuple[float, ...]

    @property
    def full(self) -> float:
        """The most it gives, in nats."""
        return sum(self.nats)

    def at(self, value: float | None) -> float:
        """Return the nats of a value; 0 for None."""
        if value is None:
            return 0.0
        return sum(nats * ramp(value, *self.knots[at : at + 2]) for at, nats in enumerate(self.nats) if nats)


class ContentModel(msgspec.Struct, frozen=True):
    """The curves of each detector by figure, and the log-odds of an account without findings, in nats.

    Odds are for as many harvesting accounts as others.
    """

    base: float
    fitted_on: str
    curves: dict[str, dict[str, Curve]]

    def full(self, detector: str) -> float:
        """Return the most that a detector's curves give, in nats."""
        return sum(curve.full for curve in self.curves.get(detector, {}).values())

    def strength(self, detector: str, values: Mapping[str, float | None]) -> float:
        """Return the nats of a detector's figures as a share of the most they can give, from 0 to 1."""
        full = self.full(detector)
        if not full:
            return 0.0
        return min(1.0, sum(curve.at(values.get(name)) for name, curve in self.curves[detector].items()) / full)


@cache
def content_model() -> ContentModel:
    """Return the model that comes with Stillwatch."""
    return msgspec.toml.decode(PACKAGED.read_bytes(), type=ContentModel)


def full_points(detector: str) -> float:
    """Return the points of a detector of content at full strength."""
    return round(POINTS_PER_NAT * content_model().full(detector), 1)


def measure(figures: Mapping[str, Figure], usage: AccountUsage) -> dict[str, float | None]:
    """Return the value of each figure."""
    return {name: figure(usage) for name, figure in figures.items()}


def figures_that_count(detector: str, figures: Mapping[str, Figure], usage: AccountUsage) -> list[str]:
    """Return the names of the figures that a detector's strength comes from, that which gives most first."""
    values, curves = measure(figures, usage), content_model().curves.get(detector, {})
    nats = {name: curve.at(values.get(name)) for name, curve in curves.items()}
    return sorted((name for name, given in nats.items() if given > 0), key=lambda name: -nats[name])


def content_strength(detector: str, figures: Mapping[str, Figure], usage: AccountUsage) -> float:
    """Return the strength of a detector of content in this usage: little where few prompts were read."""
    if usage.texts < LEAST_TEXTS:
        return 0.0
    return content_model().strength(detector, measure(figures, usage)) * weight_of_text_count(usage.texts)


def weight_of_text_count(texts: int) -> float:
    """Return the weight of a finding that was read from so many prompts, from 0.6 to 1.

    >>> weight_of_text_count(5), weight_of_text_count(30)
    (0.6, 1.0)
    """
    return WORTH_OF_FEW + (1 - WORTH_OF_FEW) * ramp(texts, FEW_TEXTS, ENOUGH_TEXTS)
