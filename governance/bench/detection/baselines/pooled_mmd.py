"""Pooled MMD: how far an account's prompts lie from those of ordinary customers (after arXiv 2606.05725).

The squared maximum mean discrepancy (Gretton and others 2012), estimated without bias, between the prompts of an
account and a pool of benign ones, as embeddings, with a Gaussian kernel whose width is the median squared distance in
the pool. As in the original, what is normal comes from benign prompts alone: the score is how many standard deviations
the discrepancy lies above that of as many prompts drawn from the pool against the rest of it. So accounts with few
and with many prompts can be compared.

Accounts are in two halves by a hash of their name. The pool for one half are benign customers of the other, so that
no account is compared with itself and nobody's label has a say in their own score. Each customer gives at most 20
prompts, lest the largest be what is normal. The original judges windows of 1,500 queries; here 10 prompts are enough,
and of an account with many 200 are taken, evenly over its time.
"""

from collections.abc import Sequence
from typing import Any, Final, Self
from zlib import crc32

import numpy as np
import numpy.typing as npt

from governance.bench.detection.baselines.embedding import prompt_vectors, squared_distances
from governance.bench.detection.world import LabelledWorld

Numbers = npt.NDArray[Any]

FEWEST: Final = 10
POOL: Final = 2_000
EACH: Final = 20
DRAWN: Final = 50


def scores(world: LabelledWorld) -> dict[str, float]:
    """Standard deviations from the pool of the other half; 0 where there are too few prompts to say."""
    points = prompt_vectors(world)
    benign = {account for account, label in world.labels.items() if label.label == "benign"}
    halves = [[account for account in world.accounts if crc32(account.encode()) % 2 == half] for half in (0, 1)]
    found: dict[str, float] = {}
    for half, others in (halves, halves[::-1]):
        pool = Pool.of([points[account] for account in others if account in benign])
        found |= {account: pool.deviation(points[account]) for account in half}
    return found


class Pool:
    """Benign prompts, and what discrepancy so many of them have from the rest. The same draws every time."""

    def __init__(self, points: Numbers, dice: np.random.Generator) -> None:
        self._points, self._dice = points, dice
        squares = squared_distances(points, points)
        self._width = float(np.median(squares[np.triu_indices(len(points), 1)])) if len(points) > 1 else 1.0
        self._alike = _without_diagonal(np.exp(-squares / self._width))
        self._alike_to_all = self._alike.sum(axis=1)
        self._normal: dict[int, tuple[float, float]] = {}

    @classmethod
    def of(cls, customers: Sequence[Numbers]) -> Self:
        dice = np.random.default_rng(1)
        some = [own[dice.permutation(len(own))[:EACH]] for own in customers if len(own)]
        together = np.concatenate(some) if some else np.zeros((0, 1), dtype=np.float32)
        return cls(together[dice.permutation(len(together))[:POOL]], dice)

    def deviation(self, own: Numbers) -> float:
        """How many standard deviations these prompts are further from the pool than its own are."""
        if len(own) < FEWEST or len(self._points) < 2 * FEWEST:
            return 0.0
        alike = _without_diagonal(np.exp(-squared_distances(own, own) / self._width))
        across = np.exp(-squared_distances(own, self._points) / self._width)
        discrepancy = _squared_mmd(
            alike.sum(), across.sum(), self._alike_to_all.sum(), sizes=(len(own), len(self._points))
        )
        mean, spread = self._normal_for(min(len(own), len(self._points) // 2))
        return (discrepancy - mean) / max(spread, 1e-9)

    def _normal_for(self, size: int) -> tuple[float, float]:
        """Mean and standard deviation of the discrepancy of so many prompts of the pool from the rest."""
        if size not in self._normal:
            drawn = [self._of_its_own(size) for _ in range(DRAWN)]
            self._normal[size] = float(np.mean(drawn)), float(np.std(drawn))
        return self._normal[size]

    def _of_its_own(self, size: int) -> float:
        drawn = self._dice.permutation(len(self._points))[:size]
        within = self._alike[np.ix_(drawn, drawn)].sum()
        across = self._alike_to_all[drawn].sum() - within
        rest = self._alike_to_all.sum() - 2 * across - within
        return _squared_mmd(within, across, rest, sizes=(size, len(self._points) - size))


def _squared_mmd(left: float, across: float, right: float, *, sizes: tuple[int, int]) -> float:
    """From sums of the kernel within the left, between left and right, and within the right, without diagonals."""
    m, n = sizes
    return float(left / (m * (m - 1)) - 2 * across / (m * n) + right / (n * (n - 1)))


def _without_diagonal(kernel: Numbers) -> Numbers:
    np.fill_diagonal(kernel, 0)
    return kernel
