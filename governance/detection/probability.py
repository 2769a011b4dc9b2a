"""The probability that an account with a score is a harvest. Pure.

A logistic curve of the score (Platt 1999), fitted to held-out scores of labelled accounts, and so monotone in it. It
holds for the share of harvesting accounts that is given, the base rate: among a thousand customers a score of 60
means something else than among ten suspects (Bayes; Saerens and others 2002). The interval is that of the fitted
curve, widened where few prompts were read.
"""

from math import exp, log, sqrt
from typing import Final, NamedTuple

import msgspec

from governance.detection.finding import ramp

# Two standard errors to either side: 95 %.
Z: Final = 1.96
# What fewer than `ENOUGH` prompts add to the standard error, in nats, at none.
UNREAD_ERROR: Final = 1.0
ENOUGH: Final = 10


class Probability(NamedTuple):
    """A probability with its interval of 95 %, each from 0 to 1."""

    value: float
    low: float
    high: float


# Scores up to here say nothing more than that little was found.
LITTLE: Final = 25


class ProbabilityCurve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Log-odds by score, for even odds beforehand: `intercept + slope * points above LITTLE`, with their variances."""

    intercept: float = -2.0
    slope: float = 0.2
    variance: tuple[float, float, float] = (0.0, 0.0, 0.0)  # of the intercept, of both together, of the slope
    accounts: int = 0

    def log_odds(self, points: float) -> float:
        """Return the log-odds of a score, for even odds beforehand."""
        return self.intercept + self.slope * max(0.0, points - LITTLE)

    def error(self, points: float, *, texts: int) -> float:
        """Return the standard error of `log_odds`, in nats, for an account of which so many prompts were read."""
        fixed, both, rising = self.variance
        above = max(0.0, points - LITTLE)
        fitted = max(0.0, fixed + 2 * both * above + rising * above * above)
        return sqrt(fitted + (UNREAD_ERROR * ramp(texts, ENOUGH, 0)) ** 2)


def probability(log_odds: float, error: float, *, base_rate: float) -> Probability:
    """Return the probability of a harvest where the share `base_rate` of all accounts are harvests.

    >>> [round(one, 2) for one in probability(4.6, 0.5, base_rate=0.01)]
    [0.5, 0.27, 0.73]
    """
    prior = log(base_rate / (1 - base_rate))
    return Probability(*(_logistic(prior + log_odds + side * Z * error) for side in (0, -1, 1)))


def _logistic(value: float) -> float:
    return 1 / (1 + exp(-value)) if value > -700 else 0.0
