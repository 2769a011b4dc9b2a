"""What is kept of how prompts read: a few bits, two small numbers and a bucket each. Pure."""

from collections.abc import Sequence
from itertools import repeat
from typing import Final, NamedTuple
from zlib import crc32

import numpy as np

from governance.usage.murmur import mix64
from governance.usage.prompts import Prompt
from governance.usage.reading.concepts import place_prompts
from governance.usage.reading.manner import read_manner
from governance.usage.reading.word_vectors import load_word_table

# Opening words differ if their keyed hashes do, which have so many values.
OPENINGS: Final = 2048


class Reading(NamedTuple):
    """How a prompt reads.

    `manner` is a bit mask (see `manner.Manner`), `reads` a step on the axis and `concept` the number of the nearest
    concept (see `concepts`), both None without word vectors; `opening_word` is a keyed hash of the first word of a
    first ask, from 0 to 2,047.
    """

    manner: int
    reads: int | None
    concept: int | None
    opening_word: int | None


def read_prompts(prompts: Sequence[Prompt], words: Sequence[Sequence[bytes]], *, seed: int) -> list[Reading]:
    """Return how each prompt reads; `words` are those of what was asked, `seed` keys the opening words."""
    table = load_word_table()
    reads: Sequence[int | None] = [None] * len(prompts)
    concepts, rare = reads, repeat(0.0, len(prompts))
    if table is not None:
        means = table.means(words)
        follow_up = np.fromiter((prompt.turns > 1 for prompt in prompts), bool, len(prompts))
        places = place_prompts(means.vectors, follow_up, table)
        reads, concepts, rare = places.reads.tolist(), places.concept.tolist(), means.rare_share.tolist()
    return [
        Reading(int(read_manner(prompt, said, rare_share)), step if said else None, concept if said else None, opening)
        for prompt, said, rare_share, step, concept, opening in zip(
            prompts, words, rare, reads, concepts, _opening_words(prompts, words, seed=seed), strict=True
        )
    ]


def _opening_words(prompts: Sequence[Prompt], words: Sequence[Sequence[bytes]], *, seed: int) -> list[int | None]:
    hashed = np.fromiter((crc32(said[0]) if said else 0 for said in words), np.uint64, len(words))
    buckets = (mix64(hashed ^ np.uint64(seed)) % np.uint64(OPENINGS)).tolist()
    return [
        bucket if said and prompt.turns <= 1 else None
        for prompt, said, bucket in zip(prompts, words, buckets, strict=True)
    ]
