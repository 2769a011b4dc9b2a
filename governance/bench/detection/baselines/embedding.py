"""Prompts as points: WordLlama's static embeddings, whose weights come with the package."""

from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from governance.bench.detection.world import LabelledWorld

try:
    import wordllama
except ImportError:  # it has no wheel for this Python or platform
    wordllama = None

Numbers = npt.NDArray[Any]

DIMENSIONS: Final = 256
# Prompts of an account that are looked at, evenly over its time, and how much of each.
MOST: Final = 200
CHARS: Final = 1_000


@lru_cache(maxsize=1)
def prompt_vectors(world: LabelledWorld) -> dict[str, Numbers]:
    """The prompts of each account as points, in order of time. Kept, since two baselines look at them."""
    return {account: embed_texts(sent.texts) for account, sent in world.sent.items()}


def embed_texts(texts: Sequence[str]) -> Numbers:
    """The texts as unit vectors, a row each; at most `MOST`, evenly over the order they came in."""
    chosen = [texts[int(place)][:CHARS] for place in np.linspace(0, len(texts) - 1, min(len(texts), MOST))]
    if not chosen:
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    vectors = np.asarray(_model().embed(chosen), dtype=np.float32)
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))


def squared_distances(left: Numbers, right: Numbers) -> Numbers:
    """Between each point of the left and each of the right, all of them unit vectors."""
    return np.asarray(np.maximum(2 - 2 * left @ right.T, 0))


class NoEmbeddingsError(Exception):
    """WordLlama is not installed."""

    def __init__(self) -> None:
        super().__init__("WordLlama has no wheel for this Python or platform")


@cache
def _model() -> Any:
    if wordllama is None:
        raise NoEmbeddingsError
    # It looks for its tokenizer elsewhere than its package has it, unless it is given the path.
    return wordllama.WordLlama.load(dim=DIMENSIONS, cache_dir=Path(wordllama.__file__).parent, disable_download=True)
