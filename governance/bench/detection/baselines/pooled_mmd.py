"""Pooled MMD: how far an account's prompts lie from those of ordinary customers (after arXiv 2606.05725).

The maximum mean discrepancy (Gretton and others 2012) between the account's prompts and a pool of benign ones, with a
Gaussian kernel of median width, unbiased, in standard deviations of what samples of the same size drawn from the pool
give. The pool is the benign customers' of the other half of the accounts, so that no account is compared with itself.
"""

from typing import Any, Final, NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

from governance.bench.detection.baselines.embedding import embedded
from governance.bench.detection.world import World

Numbers = npt.NDArray[Any]

POOL: Final = 1_500
EACH: Final = 10
FEWEST: Final = 10
DRAWN: Final = 30


def scores(world: World) -> dict[str, float]:
    """Standard deviations from the pool of the other half; 0 where there are too few texts to say."""
    points = {account: embedded(sent.texts) for account, sent in world.sent.items()}
    halves = {account: crc32(account.encode()) % 2 for account in points}
    found: dict[str, float] = {}
    for half in (0, 1):
        dice = np.random.default_rng(half)
        pool = _pool(
            [points[a] for a in world.accounts if halves[a] != half and world.labels[a].label == "benign"], dice
        )
        for account in world.accounts:
            if halves[account] == half:
                found[account] = _distance(points[account], pool, dice)
    return found


class _Pool(NamedTuple):
    """Prompts of ordinary customers, the kernel between them, its width, and its mean between two that differ."""

    points: Numbers
    kernel: Numbers
    width: float
    mean: float


def _pool(customers: list[Numbers], dice: np.random.Generator) -> _Pool:
    together = np.concatenate([own[dice.permutation(len(own))[:EACH]] for own in customers if len(own)])
    points = together[dice.permutation(len(together))[:POOL]]
    squares = 2 - 2 * (points @ points.T)
    width = float(np.median(squares[np.triu_indices(len(points), 1)]))
    kernel = np.exp(-squares / width)
    return _Pool(points, kernel, width, (float(kernel.sum()) - len(points)) / (len(points) * (len(points) - 1)))


def _distance(own: Numbers, pool: _Pool, dice: np.random.Generator) -> float:
    if len(own) < FEWEST:
        return 0.0
    own_to_pool = np.exp(-(2 - 2 * own @ pool.points.T) / pool.width)
    mmd = _mmd(np.exp(-(2 - 2 * own @ own.T) / pool.width), own_to_pool.mean(), pool.mean)
    null = []
    for _ in range(DRAWN):
        drawn = dice.choice(len(pool.points), len(own), replace=False)
        rows = pool.kernel[drawn]
        inner = rows[:, drawn]
        null.append(_mmd(inner, (rows.sum() - inner.sum()) / (len(own) * (len(pool.points) - len(own))), pool.mean))
    return float((mmd - np.mean(null)) / max(float(np.std(null)), 1e-9))


def _mmd(own: Numbers, across: float, within: float) -> float:
    number = len(own)
    return float((own.sum() - np.trace(own)) / (number * (number - 1)) - 2 * across + within)
