"""PRADA: whether distances between queries follow a normal distribution (Juuti and others 2019, arXiv 1805.02628).

For images: of each query the least distance to earlier ones; a benign client's are normally distributed, a synthetic
attacker's are not (Shapiro and Wilk's W). Here queries are prompts, embedded, and distances cosine; the original keeps
a growing set a predicted class, which free text does not have, so all earlier prompts are the set.
"""

from typing import Final

import numpy as np
from scipy.stats import shapiro

from governance.bench.detection.baselines.embedding import embedded
from governance.bench.detection.world import World

FEWEST: Final = 10


def scores(world: World) -> dict[str, float]:
    """1 − W of each account's least distances; 0 where there are too few texts to say."""
    return {account: _score(sent.texts) for account, sent in world.sent.items()}


def _score(texts: list[str]) -> float:
    points = embedded(texts)
    if len(points) < FEWEST:
        return 0.0
    distances = 1 - points @ points.T
    distances[np.triu_indices(len(points))] = np.inf
    least = distances[1:].min(axis=1)
    if np.ptp(least) < 1e-6:
        return 1.0
    return float(1 - shapiro(least).statistic)
