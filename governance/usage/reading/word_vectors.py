"""A vector for each word, from the static embeddings in WordLlama's wheel. Pure.

WordLlama splits texts into pieces of words, which costs 30 to 50 µs a prompt. Here every word is split once, the
vectors of its pieces are averaged, and the result is kept in a table for the next prompt with that word.

WordLlama has no wheel for some Pythons and platforms. There `load_word_table` returns None, and the figures made of
vectors are absent.

Reference: D. Lee Miller 2024, WordLlama (MIT licence): token embeddings of a large model, retrained for sentences and
nested by dimension (Matryoshka representations, Kusupati and others 2022), so that the first 64 of 256 serve alone.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

Numbers = npt.NDArray[Any]

DIMENSIONS: Final = 64
# Words of a prompt that are averaged. More hardly move the mean.
MOST_WORDS: Final = 160
# Words the table holds before it is emptied: 16 MiB of vectors.
MOST_KNOWN: Final = 65_536
# A word in so many pieces is rare: a typo, a name, code, another language.
RARE_PIECES: Final = 3

_WEIGHTS: Final = "weights/l2_supercat_256.safetensors"
_TOKENIZER: Final = "tokenizers/l2_supercat_tokenizer_config.json"


class MeanVectors(NamedTuple):
    """For n texts: the mean of their words as unit vectors, float32 of shape (n, 64), zero for a text without words;
    and the share of rare words, shape (n,), from 0 to 1.
    """

    vectors: Numbers
    rare_share: Numbers


class WordTable:
    """Vectors of the words met so far. A new word is added when it is looked up. Safe to use in several threads."""

    def __init__(self, pieces: Numbers, tokenizer: Any, *, most_known: int = MOST_KNOWN) -> None:
        """Take the vectors of pieces, shape (pieces, 64), and what splits a word into pieces."""
        self._pieces = pieces
        self._tokenizer = tokenizer
        self._most_known = most_known
        self._rows = _Rows(self._add)
        self._vectors = np.zeros((1024, DIMENSIONS), dtype=np.float32)
        self._rare = np.zeros(1024, dtype=np.float32)
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def means(self, texts: Sequence[Sequence[bytes]]) -> MeanVectors:
        """Return the mean of the first `MOST_WORDS` words of each text, which are in lower case, as UTF-8."""
        number = np.fromiter((min(len(words), MOST_WORDS) for words in texts), np.int64, len(texts))
        used = chain.from_iterable(islice(words, MOST_WORDS) for words in texts)
        with self._lock:
            if len(self._rows) > self._most_known:
                self._rows.clear()
            rows = np.fromiter(map(self._rows.__getitem__, used), np.int32, int(number.sum()))
            counts = csr_matrix(
                (np.ones(len(rows), dtype=np.float32), rows, np.append(0, np.cumsum(number))),
                shape=(len(texts), len(self._rare)),
            )
            sums, rare = counts @ self._vectors, counts @ self._rare
        length = np.sqrt(np.einsum("ij,ij->i", sums, sums))
        return MeanVectors(sums / np.maximum(length, 1e-9)[:, None], rare / np.maximum(number, 1).astype(np.float32))

    def _add(self, word: bytes) -> int:
        """Give a word the next row."""
        row = len(self._rows)
        if row == len(self._rare):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
            self._rare = np.concatenate([self._rare, np.zeros_like(self._rare)])
        ids = self._tokenizer.encode(word.decode(errors="replace"), add_special_tokens=False).ids
        self._vectors[row] = self._pieces[ids].mean(axis=0) if ids else 0
        self._rare[row] = len(ids) >= RARE_PIECES
        self._rows[word] = row
        return row


class _Rows(dict[bytes, int]):
    """The row of each word, made by `add` for a word that is missing."""

    def __init__(self, add: Callable[[bytes], int]) -> None:
        super().__init__()
        self._add = add

    def __missing__(self, word: bytes) -> int:
        return self._add(word)


@cache
def load_word_table() -> WordTable | None:
    """Return the table of this process, or None where WordLlama is not installed."""
    found = find_spec("wordllama")
    if found is None or found.origin is None:
        return None
    # Importing WordLlama takes half a second, and only its two files are needed, with what it reads them by.
    folder = Path(found.origin).parent
    weights = next(iter(import_module("safetensors.numpy").load_file(folder / _WEIGHTS).values()))
    pieces = np.ascontiguousarray(weights[:, :DIMENSIONS], dtype=np.float32)
    return WordTable(pieces, import_module("tokenizers").Tokenizer.from_file(str(folder / _TOKENIZER)))
