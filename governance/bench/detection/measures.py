"""Measures of a ranking of accounts, with intervals. Ties count against the detector."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from governance.bench.detection.world import World

Numbers = npt.NDArray[Any]

Z: Final = 1.96
RESAMPLED: Final = 400
STRICT: Final = 0.001


class Share(NamedTuple):
    """So many of so many, with the 95 % interval of Wilson (1927)."""

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
        return f"{self.value:.1%} ({low:.0%}–{high:.0%})" if self.of else "–"


class Measures(NamedTuple):
    """What a ranking is worth. `auroc_interval` is a bootstrap's, 95 %, over accounts."""

    auroc: float
    auroc_interval: tuple[float, float]
    average_precision: float
    recall_strict: Share
    recall_percent: Share
    precision_50: float
    precision_200: float
    threshold: float


def measure(scores: Sequence[float], harvests: Sequence[bool]) -> Measures:
    """Rank by score. `recall_strict` lets 0.1 % of the others through, `recall_percent` 1 %; `threshold` is where the
    strict one lies: what scores more is found.
    """
    points, bad = np.asarray(scores, dtype=float), np.asarray(harvests, dtype=bool)
    order = np.lexsort((bad, -points))
    ranked = bad[order]
    found, wrong = np.cumsum(ranked), np.cumsum(~ranked)
    good = int((~bad).sum())

    def recall(limit: float) -> Share:
        allowed = found[wrong <= limit * good]
        return Share(int(allowed[-1]) if len(allowed) else 0, int(bad.sum()))

    others = np.sort(points[~bad])[::-1]
    return Measures(
        _auroc(points, bad),
        _bootstrap(points, bad),
        float((found[ranked] / (np.flatnonzero(ranked) + 1)).mean()) if bad.any() else float("nan"),
        recall(STRICT),
        recall(0.01),
        float(ranked[:50].mean()),
        float(ranked[:200].mean()),
        float(others[int(STRICT * good)]) if good else float("-inf"),
    )


def by_family(world: World, scores: Mapping[str, float], *, above: float) -> dict[str, Share]:
    """Of each family of harvests how many score more than `above`."""
    found: dict[str, list[bool]] = {}
    for account, label in world.labels.items():
        if label.label == "malicious":
            found.setdefault(label.family, []).append(scores[account] > above)
    return {family: Share(sum(some), len(some)) for family, some in sorted(found.items())}


def _auroc(points: Numbers, bad: Numbers) -> float:
    """The chance that a harvest scores more than another account; a tie is no success."""
    others = np.sort(points[~bad])
    below = np.searchsorted(others, points[bad], side="left")
    return float(below.sum() / (len(others) * bad.sum())) if len(others) and bad.any() else float("nan")


def _bootstrap(points: Numbers, bad: Numbers) -> tuple[float, float]:
    dice = np.random.default_rng(1)
    harvests, others = points[bad], points[~bad]
    drawn = []
    for _ in range(RESAMPLED):
        some = np.concatenate([dice.choice(harvests, len(harvests)), dice.choice(others, len(others))])
        drawn.append(_auroc(some, np.arange(len(some)) < len(harvests)))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)
