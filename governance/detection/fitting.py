"""Fit the weights of detectors to labelled accounts. Pure.

A weight is ten times the logarithm of the likelihood ratio that a detector's finding at full strength adds to what the
others say: logistic regression of harvest or not on the strengths (odds at the review line even), through the same caps
that scoring has. Three things keep it from learning its accounts by heart:

- every family of accounts, of either kind, has the same weight, however many accounts it has;
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

from governance.detection.calibration import CAPS, MOST_IN_FAVOUR, POINTS_PER_NAT, caps_for
from governance.detection.detectors import Detector
from governance.detection.finding import Family
from governance.detection.probability import LITTLE, ProbabilityCurve
from governance.detection.scoring import REVIEW_LINE

FloatArray = npt.NDArray[Any]

# The weight in a detector's file counts as much as this many families of labelled accounts.
PRIOR_STRENGTH: Final = 10.0
# How many missed harvests one wrongly flagged customer costs.
FALSE_POSITIVE_COST: Final = 4.0
NEWTON_STEPS: Final = 25


@dataclass(frozen=True, slots=True)
class LabelledAccounts:
    """Labelled accounts, and what detectors found in their usage.

    For n accounts and d detectors: `accounts` and `families` have length n, `strengths` is a float array of shape
    (n, d) with values from 0 to 1, `harvests` a boolean array of shape (n,). `texts` has length n: how many prompts of
    each were read, on which the caps depend; without it all sent some.
    """

    accounts: Sequence[str]
    strengths: FloatArray
    harvests: FloatArray
    families: Sequence[str]
    texts: Sequence[int] | None = None

    def without(self, families: Sequence[str]) -> "LabelledAccounts":
        """Return the accounts that are of none of these families."""
        return self._rows([place for place, family in enumerate(self.families) if family not in set(families)])

    def only(self, family: str) -> "LabelledAccounts":
        """Return the accounts of this family."""
        return self._rows([place for place, own in enumerate(self.families) if own == family])

    def _rows(self, rows: Sequence[int]) -> "LabelledAccounts":
        return LabelledAccounts(
            [self.accounts[row] for row in rows],
            self.strengths[rows],
            self.harvests[rows],
            [self.families[row] for row in rows],
            None if self.texts is None else [self.texts[row] for row in rows],
        )

    def caps(self, family: Family) -> FloatArray:
        """Return the most points that a family of evidence gives each account, shape (n,)."""
        texts = [1] * len(self.accounts) if self.texts is None else self.texts
        return np.array([caps_for(number)[family] for number in texts], dtype=float)


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
    >>> (detector,) = [one for one in all_detectors() if one.name == "known_corpus"]
    >>> nobody = LabelledAccounts([], np.zeros((0, 1)), np.zeros(0, dtype=bool), [])
    >>> fit_weights(nobody, [detector])  # without labels the weight stays as it is in the file
    {'known_corpus': 30.0}
    """
    prior = np.array([abs(detector.weight) for detector in detectors])
    # A detector of weight 0 tells something to people and is no evidence: its weight stays.
    spread = np.where(prior > 0, prior, 1.0)
    caps = np.array([MOST_IN_FAVOUR if one.family is Family.HARMLESS else CAPS[one.family] for one in detectors])
    importance = _importance(labelled)
    sides = np.where(labelled.harvests, 1.0, -1.0)

    def cost(weights: FloatArray) -> tuple[float, FloatArray]:
        points, slopes = _points(labelled, weights, detectors)
        margin = sides * (points - REVIEW_LINE) / POINTS_PER_NAT
        drawn = (weights - prior) / spread
        slope_of_loss = -importance * sides * _logistic(-margin) / POINTS_PER_NAT
        total = float(importance @ np.logaddexp(0, -margin) + prior_strength * drawn @ drawn)
        return total, slope_of_loss @ slopes + 2 * prior_strength * drawn / spread

    bounds = [(0.0, cap if expert else 0.0) for cap, expert in zip(caps, prior, strict=True)]
    found = minimize(cost, prior, jac=True, method="L-BFGS-B", bounds=bounds)
    signs = [-1 if detector.family is Family.HARMLESS else 1 for detector in detectors]
    return {one.name: round(float(sign * w), 1) for one, sign, w in zip(detectors, signs, found.x, strict=True)}


def predict_points(
    labelled: LabelledAccounts, weights: Mapping[str, float], detectors: Sequence[Detector]
) -> FloatArray:
    """Return the points of each account as scoring adds them up, but not limited to 0 to 100; shape (n,).

    The columns of `labelled.strengths` are `detectors`, in their order.

    >>> from governance.detection.detectors import all_detectors
    >>> pair = [one for one in all_detectors() if one.name in {"known_corpus", "public_prompts"}]
    >>> two = LabelledAccounts(["a", "b"], np.array([[1.0, 0.0], [0.5, 1.0]]), np.array([True, False]), ["x", "y"])
    >>> predict_points(two, {"public_prompts": -15, "known_corpus": 30}, pair).tolist()
    [30.0, 0.0]
    """
    return _points(labelled, np.array([abs(weights[detector.name]) for detector in detectors]), detectors)[0]


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
        points[own] = predict_points(labelled.only(family), weights, detectors)
    return points


def _points(
    labelled: LabelledAccounts, weights: FloatArray, detectors: Sequence[Detector]
) -> tuple[FloatArray, FloatArray]:
    """Return the points of each account, shape (n,), and their derivatives by each weight, shape (n, d)."""
    strengths = labelled.strengths
    points = np.zeros(len(strengths))
    slopes = np.zeros_like(strengths)
    for family in CAPS:
        own = np.array([detector.family is family for detector in detectors])
        sums, caps = strengths[:, own] @ weights[own], labelled.caps(family)
        sign = -1.0 if family is Family.HARMLESS else 1.0
        points += sign * np.minimum(sums, caps)
        slopes[:, own] = sign * strengths[:, own] * (sums < caps)[:, None]
    return points, slopes


def fit_probability(points: FloatArray, harvests: FloatArray) -> ProbabilityCurve:
    """Return the log-odds of a harvest by score, from held-out scores of labelled accounts of both kinds (Platt 1999).

    Logistic regression on the points above `LITTLE`, by Newton's method; the intercept is moved from the share of
    harvests among these accounts to even odds.

    >>> curve = fit_probability(np.array([0.0, 30.0, 40.0, 45.0, 60.0, 90.0]), np.array([0, 0, 1, 0, 1, 1]))
    >>> curve.log_odds(10) < 0 < curve.log_odds(80)
    True
    """
    harvests = np.asarray(harvests, dtype=bool)
    design = np.column_stack([np.ones(len(points)), np.clip(points, LITTLE, 100) - LITTLE])
    # A little ridge keeps the curve finite where scores part the sides completely.
    ridge = np.diag([0.1, 1.0])
    found, curvature = np.zeros(2), ridge
    for _ in range(NEWTON_STEPS):
        predicted = _logistic(design @ found)
        curvature = (design * (predicted * (1 - predicted))[:, None]).T @ design + ridge
        found = found + np.linalg.solve(curvature, design.T @ (harvests - predicted) - ridge @ found)
    spread = np.linalg.inv(curvature)
    return ProbabilityCurve(
        intercept=float(found[0] - np.log(max(harvests.sum(), 1) / max((~harvests).sum(), 1))),
        slope=max(0.0, float(found[1])),
        variance=(float(spread[0, 0]), float(spread[0, 1]), float(spread[1, 1])),
        accounts=len(points),
    )


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
