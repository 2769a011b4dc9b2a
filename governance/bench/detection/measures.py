"""Measures of a ranking of accounts, with 95 % intervals. Ties count against the detector.

Intervals take accounts as independent. Those of one campaign are not quite, so that the true ones are wider.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from governance.bench.detection.world import LabelledWorld

Numbers = npt.NDArray[Any]

Z: Final = 1.96
# The shares of other accounts that may be let through.
STRICT: Final = 0.001
PERCENT: Final = 0.01


class Share(NamedTuple):
    """A proportion, with the 95 % interval of Wilson (1927)."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        return self.hits / self.of if self.of else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        if not self.of:
            return 0.0, 1.0
        p, d = self.value, 1 + Z * Z / self.of
        half = Z * float(np.sqrt(p * (1 - p) / self.of + Z * Z / (4 * self.of * self.of)))
        middle = p + Z * Z / (2 * self.of)
        return max(0.0, (middle - half) / d), min(1.0, (middle + half) / d)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.value:.1f} % ({100 * low:.1f}–{100 * high:.1f})" if self.of else "–"


class Measures(NamedTuple):
    """What a ranking is worth.

    `recall_strict` lets 0.1 % of the other accounts through, `recall_percent` 1 %. `threshold` is where the strict
    one lies: what scores more is found. Precision among the first 50 or 200 is of 0 where there are fewer accounts.
    """

    auroc: float
    auroc_interval: tuple[float, float]
    average_precision: float
    recall_strict: Share
    recall_percent: Share
    precision_50: Share
    precision_200: Share
    threshold: float


def measure(scores: Sequence[float], malicious: Sequence[bool]) -> Measures:
    """Measure a ranking: more is worse, and `malicious` says of each score whether it should be high."""
    points, bad = np.asarray(scores, dtype=float), np.asarray(malicious, dtype=bool)
    if np.isnan(points).any():
        raise ValueError("A score that is not a number has no place in a ranking.")
    ranked = bad[np.lexsort((bad, -points))]
    found, wrong = np.cumsum(ranked), np.cumsum(~ranked)
    harvests, others = int(bad.sum()), np.sort(points[~bad])[::-1]

    def recall(limit: float) -> Share:
        return Share(int(found[wrong <= limit * len(others)].max(initial=0)), harvests)

    def precision(first: int) -> Share:
        return Share(int(ranked[:first].sum()), first) if len(ranked) >= first else Share(0, 0)

    area, interval = _auroc(points[bad], points[~bad])
    return Measures(
        auroc=area,
        auroc_interval=interval,
        average_precision=float((found[ranked] / (np.flatnonzero(ranked) + 1)).mean()) if harvests else float("nan"),
        recall_strict=recall(STRICT),
        recall_percent=recall(PERCENT),
        precision_50=precision(50),
        precision_200=precision(200),
        threshold=float(others[int(STRICT * len(others))]) if len(others) else float("-inf"),
    )


def measure_world(world: LabelledWorld, scores: Mapping[str, float], *, metadata_only: bool = False) -> Measures:
    """Measure what a detector says of a world, or of its accounts that send no text, which are ranked by themselves.

    An account without a score counts as 0.
    """
    judged = [one for one in world.labels.values() if not metadata_only or one.text == "metadata_only"]
    return measure([scores.get(one.account, 0.0) for one in judged], [one.label == "malicious" for one in judged])


def flagged_by_family(world: LabelledWorld, scores: Mapping[str, float], *, above: float) -> dict[str, Share]:
    """Return, for each malicious family, how many of its accounts score more than `above`."""
    found: dict[str, list[bool]] = {}
    for account, label in world.labels.items():
        if label.label == "malicious":
            found.setdefault(label.family, []).append(scores.get(account, 0.0) > above)
    return {family: Share(sum(some), len(some)) for family, some in sorted(found.items())}


def _auroc(harvests: Numbers, others: Numbers) -> tuple[float, tuple[float, float]]:
    """The chance that a harvest scores more than another account; a tie is no success.

    With the interval of DeLong and others (1988), taken on the log odds, where it keeps its promise better near 1: the
    variance of a mean over pairs comes from how much the harvests differ in the share of the others they win against,
    and the others in the share they lose to. It needs two of each.
    """
    if not len(harvests) or not len(others):
        return float("nan"), (0.0, 1.0)
    won = np.searchsorted(np.sort(others), harvests, side="left") / len(others)
    lost = 1 - np.searchsorted(np.sort(harvests), others, side="right") / len(harvests)
    area = float(won.mean())
    if len(harvests) < 2 or len(others) < 2:
        return area, (0.0, 1.0)
    if area in {0.0, 1.0}:
        return area, (area, area)
    error = np.sqrt(won.var(ddof=1) / len(harvests) + lost.var(ddof=1) / len(others)) / (area * (1 - area))
    odds = np.log(area / (1 - area))
    low, high = (float(1 / (1 + np.exp(-(odds + side * error)))) for side in (-Z, Z))
    return area, (low, high)
