"""Fit the curves of `curves` to labelled accounts: an additive model with fixed signs. Pure.

The log-odds of a harvest are a base and a sum of curves, one a figure. A curve is a sum of ramps between quantiles of
its figure, each with a weight that cannot be negative: it never falls. A figure in favour of the account has a curve
of its own, which is taken off. Logistic loss, and a ridge on the weights, which shares the worth of similar figures
among them and keeps the model from learning its accounts by heart: with 0.03 models transferred best from one made-up
world to another.

Families of accounts have the square root of their size as weight, harvesting and other accounts the same in sum.

References: Hastie and Tibshirani 1986, Generalized additive models; Hoerl and Kennard 1970, Ridge regression; Byrd and
others 1995, A limited memory algorithm for bound constrained optimization (L-BFGS-B).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from governance.detection.curves import Curve

FloatArray = npt.NDArray[Any]

QUANTILES: Final = (0.2, 0.5, 0.75, 0.9, 0.97)
RIDGE: Final = 0.03
ITERATIONS: Final = 200


class LabelledFigures(NamedTuple):
    """Figures of n labelled accounts that sent text.

    `values` has shape (n, f), NaN where a figure was not measured; `harvests` is boolean, shape (n,); `families` has
    length n; `worth`, shape (n,), scales what the curves give (see `curves.weight_of_text_count`).
    """

    values: FloatArray
    harvests: FloatArray
    families: Sequence[str]
    worth: FloatArray

    def rows(self, chosen: FloatArray) -> "LabelledFigures":
        """Return the accounts at these places."""
        families = [self.families[place] for place in chosen]
        return LabelledFigures(self.values[chosen], self.harvests[chosen], families, self.worth[chosen])


class AdditiveModel(NamedTuple):
    """The base, in nats, and a curve for each figure, those in favour to be taken off."""

    base: float
    curves: list[Curve]
    in_favour: Sequence[bool]

    def log_odds(self, labelled: LabelledFigures) -> FloatArray:
        """Return the log-odds of each account, shape (n,), in nats for even odds beforehand."""
        sides = np.where(self.in_favour, -1.0, 1.0)
        sums = np.zeros(len(labelled.values))
        for column, (curve, side) in enumerate(zip(self.curves, sides, strict=True)):
            ramps = _ramps(labelled.values[:, [column]], np.array([curve.knots]).T)
            sums += side * (ramps @ np.array(curve.nats))
        return np.asarray(self.base + sums * labelled.worth)


def fit_curves(labelled: LabelledFigures, in_favour: Sequence[bool], *, ridge: float = RIDGE) -> AdditiveModel:
    """Return the additive model that separates harvests from other accounts best.

    Args:
        labelled: n accounts and f figures.
        in_favour: for each figure, whether it speaks for the account.
        ridge: half of this times the sum of squared weights is added to the mean loss.

    >>> values = np.array([[0.0], [0.1], [0.9], [1.0]])
    >>> two = LabelledFigures(values, np.array([False, False, True, True]), ["chat", "chat", "set", "set"], np.ones(4))
    >>> model = fit_curves(two, [False])
    >>> odds = model.log_odds(two)
    >>> bool(odds[0] < 0 < odds[3])
    True
    """
    knots = _knots(labelled.values)
    ramps = _ramps(labelled.values, knots) * labelled.worth[:, None]
    pieces = len(QUANTILES) - 1
    sides = np.repeat(np.where(in_favour, -1.0, 1.0), pieces)
    design, toward = ramps * sides, np.where(labelled.harvests, 1.0, -1.0)
    importance = _importance(labelled)

    def cost(weights: FloatArray) -> tuple[float, FloatArray]:
        margin = toward * (design @ weights[:-1] + weights[-1])
        slope = -toward * importance / (1 + np.exp(np.clip(margin, -50, 50)))
        penalty = ridge * weights[:-1] @ weights[:-1] / 2
        gradient = np.append(design.T @ slope + ridge * weights[:-1], slope.sum())
        return float(importance @ np.logaddexp(0, -margin) + penalty), gradient

    found = minimize(
        cost,
        np.append(np.full(design.shape[1], 0.1), -3.0),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None)] * design.shape[1] + [(None, None)],
        options={"maxiter": ITERATIONS},
    )
    nats = found.x[:-1].reshape(-1, pieces)
    curves = [Curve(tuple(map(float, own)), tuple(map(float, worth))) for own, worth in zip(knots.T, nats, strict=True)]
    return AdditiveModel(float(found.x[-1]), curves, in_favour)


def _knots(values: FloatArray) -> FloatArray:
    """Return the quantiles of each figure, shape (5, f)."""
    return np.asarray(np.nanquantile(values, QUANTILES, axis=0))


def _ramps(values: FloatArray, knots: FloatArray) -> FloatArray:
    """Return each figure's ramps between its knots, shape (n, 4 f), a figure's four beside each other.

    What was not measured, and a ramp without width, give 0.
    """
    low, high = knots[:-1].T, knots[1:].T
    width = high - low
    rise = (values[:, :, None] - low) / np.where(width > 0, width, 1.0)
    ramps = np.where(width > 0, np.clip(rise, 0, 1), 0.0)
    return np.asarray(np.nan_to_num(ramps, nan=0.0).reshape(len(values), -1))


def _importance(labelled: LabelledFigures) -> FloatArray:
    """Return the importance of each account, shape (n,), which add up to 1."""
    sizes = Counter(labelled.families)
    each = np.array([sizes[family] ** -0.5 for family in labelled.families])
    harvests = np.asarray(labelled.harvests, dtype=bool)
    for side in (harvests, ~harvests):
        each[side] /= max(2 * each[side].sum(), 1e-9)
    return each
