"""Where a prompt lies among things that are asked: on an axis from customers to data sets, and nearest which concept.

Both are projections of the mean of its words (see `word_vectors`), reduced at once to a step of the axis and the number
of a concept: four and five bits, from which no word can be found again. Pure.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from governance.usage.reading.word_vectors import DIMENSIONS, Numbers, WordTable
from governance.usage.reading.words import split_words

# In order of their numbers in profiles.
CONCEPTS: Final = ("item", "problem", "making", "judge", "reason", "support", "chat", "docwork", "code")

# The axis is kept in steps of a quarter of a standard deviation, from 3 below the mean of customers to 3 above.
STEPS: Final = 24
STEPS_PER_DEVIATION: Final = 4
LIMIT: Final = 3.0
# What continues a conversation counts at most as this: what an agent observes reads like an item.
FOLLOW_UP_LIMIT: Final = -1.0

_FOLDER: Final = Path(__file__).parent


class Axis(msgspec.Struct, frozen=True):
    """A direction: a unit vector `v` lies at `offset + weights · v`, in standard deviations of ordinary prompts."""

    offset: float
    weights: list[float]


class Places(NamedTuple):
    """For n prompts, two integer arrays of shape (n,): the step on the axis and the number of the nearest concept."""

    reads: Numbers
    concept: Numbers


def place_prompts(vectors: Numbers, follow_up: Numbers, table: WordTable) -> Places:
    """Return where prompts lie.

    Args:
        vectors: unit vectors of shape (n, 64).
        follow_up: booleans of shape (n,): whether the user had asked before in the conversation.
        table: what the vectors come from, to measure the examples of the concepts by the same words.
    """
    axis = load_axis()
    deviations = axis.offset + vectors @ np.array(axis.weights, dtype=np.float32)
    examples, owner = _examples(table)
    nearest = np.maximum.reduceat(vectors @ examples.T, owner, axis=1).argmax(axis=1)
    return Places(reads_step(np.where(follow_up, np.minimum(deviations, FOLLOW_UP_LIMIT), deviations)), nearest)


def reads_step(deviations: Numbers) -> Numbers:
    """Return the step, from 0 to 23, of a place on the axis in standard deviations.

    >>> reads_step(np.array([-9.0, 0.0, 1.1, 9.0])).tolist()
    [0, 12, 16, 23]
    """
    return np.clip((deviations + LIMIT) * STEPS_PER_DEVIATION, 0, STEPS - 1).astype(np.int64)


def step_middle(step: Any) -> Any:
    """Return the middle of a step, in standard deviations; for a number, an array or a polars expression.

    >>> step_middle(16)
    1.125
    """
    return (step + 0.5) / STEPS_PER_DEVIATION - LIMIT


@cache
def load_axis() -> Axis:
    """Return the axis that comes with Stillwatch."""
    return msgspec.toml.decode((_FOLDER / "axis.toml").read_bytes(), type=Axis)


def load_concepts() -> dict[str, list[str]]:
    """Return the examples of each concept, in order of the concepts' numbers."""
    return msgspec.toml.decode((_FOLDER / "concepts.toml").read_bytes(), type=dict[str, list[str]])


@cache
def _examples(table: WordTable) -> tuple[Numbers, Sequence[int]]:
    """Return the vectors of all examples, shape (examples, 64), and where each concept begins among them."""
    concepts = load_concepts()
    words = split_words([*chain.from_iterable(concepts.values())])
    starts = np.cumsum([0, *map(len, concepts.values())])[:-1].tolist()
    vectors = table.means(words).vectors
    return np.asarray(vectors.reshape(-1, DIMENSIONS)), starts
