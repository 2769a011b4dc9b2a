"""PRADA: whether the distances between queries are normally distributed (Juuti and others 2019, arXiv 1805.02628).

Of each query the least distance to earlier ones is taken. Those of an ordinary client follow a normal distribution,
those of an attacker who makes queries do not, which Shapiro and Wilk's W tells. As in the original, a query joins
those that later ones are compared with only if it is farther from them than the mean less a standard deviation of
the distances of those that joined; distances more than three standard deviations from their mean are left out; and an
account with fewer than 100 queries is not judged.

Adapted to text: queries are the prompts, as embeddings, and distances Euclidean between unit vectors. The original
compares a query with those of the same predicted class; free text has no classes, so that all prompts are one. Of an
account with many prompts 200 are taken, evenly over its time.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.stats import shapiro

from governance.bench.detection.baselines.embedding import prompt_vectors, squared_distances
from governance.bench.detection.world import LabelledWorld

Numbers = npt.NDArray[Any]

FEWEST: Final = 100


def scores(world: LabelledWorld) -> dict[str, float]:
    """1 − W of each account, from 0 to 1; 0 where there are too few prompts to say."""
    return {account: abnormality(points) for account, points in prompt_vectors(world).items()}


def abnormality(points: Numbers) -> float:
    """1 − W of the distances of points to earlier ones. Distances that do not vary say nothing."""
    if len(points) < FEWEST:
        return 0.0
    distances = _least_distances(points)
    distances = distances[np.abs(distances - distances.mean()) <= 3 * distances.std()]
    if len(distances) < 3 or np.ptp(distances) < 1e-6:
        return 0.0
    return float(1 - shapiro(distances).statistic)


def _least_distances(points: Numbers) -> Numbers:
    """Of each point but the first the distance to the nearest of those that joined before it."""
    distances = np.sqrt(squared_distances(points, points))
    joined, joined_at, threshold = [0], [0.0], 0.0
    least = []
    for place in range(1, len(points)):
        nearest = float(distances[place, joined].min())
        least.append(nearest)
        if nearest > threshold:
            joined.append(place)
            joined_at.append(nearest)
            threshold = max(threshold, float(np.mean(joined_at) - np.std(joined_at)))
    return np.asarray(least)
