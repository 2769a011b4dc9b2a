"""Samples by which answers are met again: runs of answers, runs of first questions, signed reasoning blocks. Pure.

Each kind is a bottom-k sample (see `profiles.bottom_k`), all three in one sketch: an entry is a signed little-endian
integer of 8 bytes, the kind above 60 bits of a digest. Sketches are merged by concatenation; packing keeps the
`BOTTOM_K` smallest hashes of each kind. Digests of answers and of questions are hashed alike, so that what is in both
is sampled in both.

Only requests whose answer was reported are in it. Follow-ups are not: people quote an answer while they talk about it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from governance.usage.murmur import mix64
from governance.usage.profiles.bottom_k import BOTTOM_K, smallest_hashes, unpack_bottom_k
from governance.usage.profiles.entries import Numbers, split_entries

_DIGEST_BITS: Final = 60
_DIGEST: Final = 2**_DIGEST_BITS - 1


class Sampled(IntEnum):
    """What is sampled. The numbers are stored: never change one, append new ones."""

    ANSWER = 0  # runs of four words of answers
    QUESTION = 1  # runs of four words of what was asked first
    REASONING = 2  # signed reasoning blocks, in requests and answers


_KINDS: Final = len(Sampled)
_COLUMNS: Final = {Sampled.ANSWER: "answer_runs", Sampled.QUESTION: "question_runs", Sampled.REASONING: "reasoning"}


def build_samples(events: Mapping[str, Sequence[Any]], owner: Numbers, owners: int) -> list[bytes]:
    """Return the sketch of each owner, of events given as columns (see `usage.event_columns`)."""
    answered = [place for place, chars in enumerate(events["answer_chars"]) if chars is not None]
    if not answered:
        return [b""] * owners
    entries = [
        (place, digest & _DIGEST | kind << _DIGEST_BITS)
        for place in answered
        for kind, digests in (
            (Sampled.ANSWER, events["answer_runs"][place]),
            (Sampled.QUESTION, _first_asked(events, place)),
            (Sampled.REASONING, events["reasoning"][place]),
        )
        for digest in digests
    ]
    places, values = np.array(entries, dtype=np.int64).reshape(-1, 2).T
    return _pack(owner[places], values, owners=owners)


def _first_asked(events: Mapping[str, Sequence[Any]], place: int) -> Sequence[int]:
    return (events["shingles"][place] or ()) if (events["turns"][place] or 0) <= 1 else ()


def repack(blobs: Sequence[bytes]) -> list[bytes]:
    """Return merged samples without duplicates, cut to `BOTTOM_K` of each kind."""
    return _pack(*unpack_bottom_k(blobs), owners=len(blobs))


def _pack(owner: Numbers, entries: Numbers, *, owners: int) -> list[bytes]:
    whose, values = smallest_hashes(owner * _KINDS + _kind(entries), entries & _DIGEST, most=BOTTOM_K)
    return split_entries((values | whose % _KINDS << _DIGEST_BITS).astype("<i8"), whose // _KINDS, owners=owners)


def _kind(entries: Numbers) -> Numbers:
    kinds: Numbers = np.minimum(entries >> _DIGEST_BITS, _KINDS - 1)
    return kinds


def answer_features(rows: pl.DataFrame, owner: Numbers) -> Iterator[pl.DataFrame]:
    """Yield a table for each kind: owner and sampled digests, those with the smallest hash first."""
    found = unpack_bottom_k(rows["answers"].to_list())
    whose, kinds, values = owner[found.owner], _kind(found.value), found.value & _DIGEST
    for kind, column in _COLUMNS.items():
        some = kinds == kind
        of, sampled = smallest_hashes(whose[some], values[some], most=BOTTOM_K)
        table = pl.DataFrame({"owner": of, column: sampled.astype(np.int64)}, schema_overrides={"owner": pl.UInt32})
        yield table.group_by("owner", maintain_order=True).agg(column)


class Containment(NamedTuple):
    """The share of sampled values that are in another sample too, of how many that could be compared."""

    share: float = 0.0
    compared: int = 0


def contained_share(values: Sequence[int], sample: Collection[int], *, size: int = BOTTOM_K) -> Containment:
    """Return which share of one set is in another, by bottom-k samples of both (Cohen and Kaplan 2007).

    Args:
        values: the sample of the first.
        sample: the sample of the other, those with the smallest hashes, at most `size`. Only values up to its greatest
            hash are compared: of the others nobody knows.

    >>> contained_share([1, 2, 3, 4], [2, 4, 5])
    Containment(share=0.5, compared=4)
    """
    compared = np.array(values, dtype=np.int64)
    other = np.array([*sample], dtype=np.int64)
    if len(other) >= size and len(compared):
        compared = compared[_hashes(compared) <= _hashes(other).max()]
    if not len(compared) or not len(other):
        return Containment()
    return Containment(float(np.isin(compared, other).mean()), len(compared))


def _hashes(values: Numbers) -> Numbers:
    return mix64(values.view(np.uint64))
