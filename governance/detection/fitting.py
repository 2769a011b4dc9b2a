"""Fit the weights of detectors to labelled accounts. Pure.

A weight is ten times the logarithm of the likelihood ratio that a detector's finding at full strength adds to what the
others say: logistic regression of harvest or not on the strengths (odds at the review line even), through the same caps
that scoring has. Three things keep it from learning its accounts by heart:

- every family of accounts, of either kind, weighs the same, however many accounts it has;
- signs are fixed: a detector against the account cannot get a negative weight;
- weights are drawn to those in the detectors' files, an expert's judgement, as strongly as `prior_strength` says: a
  detector that hardly any labelled account shows keeps its own (a normal prior: maximum a posteriori).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from governance.detection.calibration import CAPS, POINTS_PER_NAT
from governance.detection.detectors import Detector
from governance.detection.finding import Family
from governance.detection.scoring import REVIEW_LINE

FloatArray = npt.NDArray[Any]

# The weight in a detector's file counts as much as this many families of labelled accounts.
PRIOR_STRENGTH: Final = 10.0
# How many missed harvests one wrongly flagged customer costs.
FALSE_POSITIVE_COST: Final = 4.0


@dataclass(frozen=True, slots=True)
class LabelledAccounts:
    """Labelled accounts, and what detectors found in their usage.

    For n accounts and d detectors: `accounts` and `families` have length n, `strengths` is a float array of shape
    (n, d) with values from 0 to 1, `harvests` a boolean array of shape (n,).
    """

    accounts: Sequence[str]
    strengths: FloatArray
    harvests: FloatArray
    families: Sequence[str]

    def without(self, families: Sequence[str]) -> "LabelledAccounts":
        """Return the accounts that are of none of these families."""
        rows = [place for place, family in enumerate(self.families) if family not in set(families)]
        return LabelledAccounts(
            [self.accounts[row] for row in rows],
            self.strengths[rows],
            self.harvests[rows],
            [self.families[row] for row in rows],
        )


def fit_weights(
    labelled: LabelledAccounts, detectors: Sequence[Detector], *, prior_strength: float = PRIOR_STRENGTH
) -> dict[str, float]:
    """Return the weights, in points at full strength, that separate harvests from other accounts best.

    Penalised logistic regression: the odds are even at the review line, 10 points are a factor of e in the odds, and a
    normal prior with mean and standard deviation of each detector's own weight keeps it near that weight (maximum a
    posteriori; Bishop 2006, Pattern Recognition and Machine Learning, section 4.5.1). Minimised by L-BFGS-B within the
    bounds 0 and the family's cap (Byrd and others 1995), so a local minimum: the caps make the loss not quite convex.
    Weights are rounded to 0.1 points. A detector of weight 0 stays at 0.

    Args:
        labelled: n accounts; the columns of `strengths` are `detectors`, in their order.
        prior_strength: as how many families of labelled accounts the weights in the files count.

    >>> from governance.detection.detectors import all_detectors
    >>> (detector,) = [one for one in all_detectors() if one.name == "synthetic_tasks"]
    >>> nobody = LabelledAccounts([], np.zeros((0, 1)), np.zeros(0, dtype=bool), [])
    >>> fit_weights(nobody, [detector])  # without labels the weight stays as it is in the file
    {'synthetic_tasks': 38.0}
    """
    prior = np.array([abs(detector.weight) for detector in detectors])
    # A detector of weight 0 tells something to people and is no evidence: its weight stays.
    spread = np.where(prior > 0, prior, 1.0)
    caps = np.array([CAPS[detector.family] for detector in detectors])
    importance = _importance(labelled)
    sides = np.where(labelled.harvests, 1.0, -1.0)

    def cost(weights: FloatArray) -> tuple[float, FloatArray]:
        points, slopes = _points(labelled.strengths, weights, detectors)
        margin = sides * (points - REVIEW_LINE) / POINTS_PER_NAT
        drawn = (weights - prior) / spread
        slope_of_loss = -importance * sides * _logistic(-margin) / POINTS_PER_NAT
        total = float(importance @ np.logaddexp(0, -margin) + prior_strength * drawn @ drawn)
        return total, slope_of_loss @ slopes + 2 * prior_strength * drawn / spread

    bounds = [(0.0, cap if expert else 0.0) for cap, expert in zip(caps, prior, strict=True)]
    found = minimize(cost, prior, jac=True, method="L-BFGS-B", bounds=bounds)
    signs = [-1 if detector.family is Family.HARMLESS else 1 for detector in detectors]
    return {one.name: round(float(sign * w), 1) for one, sign, w in zip(detectors, signs, found.x, strict=True)}


def predict_points(strengths: FloatArray, weights: Mapping[str, float], detectors: Sequence[Detector]) -> FloatArray:
    """Return the points of each account as scoring adds them up, but not limited to 0 to 100.

    `strengths` has shape (n, d), its columns being `detectors`; the result has shape (n,), in points.

    >>> from governance.detection.detectors import all_detectors
    >>> pair = [one for one in all_detectors() if one.name in {"end_users", "synthetic_tasks"}]
    >>> predict_points(np.array([[0.0, 1.0], [1.0, 0.5]]), {"end_users": -20, "synthetic_tasks": 38}, pair).tolist()
    [38.0, -1.0]
    """
    return _points(strengths, np.array([abs(weights[detector.name]) for detector in detectors]), detectors)[0]


def leave_one_family_out(
    labelled: LabelledAccounts, detectors: Sequence[Detector], *, prior_strength: float = PRIOR_STRENGTH
) -> FloatArray:
    """Return the points of each account, shape (n,), by weights that were fitted without its family.

    Cross-validation by group: a family is never scored by weights that have seen one of its accounts.
    """
    points = np.zeros(len(labelled.accounts))
    families = np.array(labelled.families)
    for family in sorted(set(labelled.families)):
        weights = fit_weights(labelled.without([family]), detectors, prior_strength=prior_strength)
        own = families == family
        points[own] = predict_points(labelled.strengths[own], weights, detectors)
    return points


def _points(strengths: FloatArray, weights: FloatArray, detectors: Sequence[Detector]) -> tuple[FloatArray, FloatArray]:
    """Return the points of each account, shape (n,), and their derivatives by each weight, shape (n, d)."""
    points = np.zeros(len(strengths))
    slopes = np.zeros_like(strengths)
    for family, cap in CAPS.items():
        own = np.array([detector.family is family for detector in detectors])
        sums = strengths[:, own] @ weights[own]
        sign = -1.0 if family is Family.HARMLESS else 1.0
        points += sign * np.minimum(sums, cap)
        slopes[:, own] = sign * strengths[:, own] * (sums < cap)[:, None]
    return points, slopes


def _importance(labelled: LabelledAccounts) -> FloatArray:
    """Return the importance of each account, shape (n,), positive.

    Families of one side are equally important; the sides are too, but for `FALSE_POSITIVE_COST`.
    """
    sizes = Counter(labelled.families)
    each = np.array([1 / sizes[family] for family in labelled.families])
    harvests = np.asarray(labelled.harvests, dtype=bool)
    each[harvests] /= max(each[harvests].sum(), 1e-9)
    each[~harvests] *= FALSE_POSITIVE_COST / max(each[~harvests].sum(), 1e-9)
    return each * len(sizes)


def _logistic(values: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -500, 500))))
