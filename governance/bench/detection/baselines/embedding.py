"""Prompts as points: WordLlama's static embeddings, whose weights come with the package."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import wordllama
from wordllama import WordLlama

Numbers = npt.NDArray[Any]

DIMENSIONS: Final = 256
# Prompts of an account that are looked at, evenly over its time.
MOST: Final = 150
CHARS: Final = 1_000


@cache
def _model() -> Any:
    # It looks for its tokenizer elsewhere than its package has it, unless told where.
    return WordLlama.load(dim=DIMENSIONS, cache_dir=Path(wordllama.__file__).parent, disable_download=True)


def embedded(texts: Sequence[str]) -> Numbers:
    """The texts as unit vectors, a row each; at most `MOST`, evenly over the order they came in."""
    chosen = [texts[int(place)] for place in np.linspace(0, len(texts) - 1, min(len(texts), MOST))] if texts else []
    if not chosen:
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    vectors = np.asarray(_model().embed([text[:CHARS] for text in chosen]), dtype=np.float32)
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))
