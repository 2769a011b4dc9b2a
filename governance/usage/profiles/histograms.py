"""Histograms: how often each value was seen, by kind and bucket. Pure.

A sketch holds several histograms, one for each `Histogram`, of up to 2,048 buckets. Only buckets that are not empty are
stored: 4 bytes each, `kind << 27 | bucket << 16 | count`, little-endian; a count above 65,535 takes several entries.
Sketches are merged by concatenation, since counts of the same bucket add up. Merging is exact, in whatever order.

Error: counts are exact. Token counts and their ratios are put into logarithmic buckets, 16 to the doubling, whose
middle is within 2.2 % of every value (plus one) in it; so are the medians read from them. Settings and system prompts
share 2,048 buckets by a hash: of `n` different ones, `n`²/4,096 pairs are expected to share a bucket.

Reference for the logarithmic buckets: Masson, Rim and Lee 2019, DDSketch (arXiv 1908.10693).
"""

from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl

from governance.usage.markers import MARKERS
from governance.usage.profiles.entries import Numbers, join_entries, split_entries
from governance.usage.profiles.traits import TRAIT_NAMES
from governance.usage.reading.concepts import CONCEPTS
from governance.usage.topics import TOPIC_NAMES

BUCKET_BITS: Final = 11
COUNT_BITS: Final = 16
MAX_BUCKET: Final = 2**BUCKET_BITS - 1
_MOST_COUNT: Final = 2**COUNT_BITS - 1
_ENTRY: Final = np.dtype("<u4")

BUCKETS_PER_DOUBLING: Final = 16
_RATIO_SHIFT: Final = 32
_A: Final = ord("a")


class Histogram(IntEnum):
    """What is counted, and what its buckets are. The numbers are stored: never change one, append new ones."""

    STATUS = 0  # index in STATUSES
    TRAIT = 1  # code in traits.TRAITS
    INPUT = 2  # tokens, see log_bucket
    OUTPUT = 3  # tokens, see log_bucket
    RATIO = 4  # output to input tokens, see ratio_bucket
    ANSWERS = 5  # choices per request (`n`), if more than one
    TOP_LOGPROBS = 6  # alternatives per token, if any
    PARAMETERS = 7  # hash of the sampling parameters
    COUNTRY = 8  # see two_letter_bucket
    LANGUAGE = 9  # see two_letter_bucket
    TOPIC = 10  # see governance.usage.topics
    MARKER = 11  # bit, see governance.usage.markers
    SYSTEM = 12  # hash of the system prompt's digest
    READS = 13  # step on the axis, see governance.usage.reading.concepts
    CONCEPT = 14  # number of the nearest concept, see there
    OPENING = 15  # keyed hash of the first word of a first ask
    ITEM_OPENING = 16  # the same, of those that are complete tasks in the imperative


STATUSES: Final = ("ok", "error", "refused", "rate_limited")


def encode(kind: Histogram | Numbers, bucket: Numbers) -> Numbers:
    """Return kind and bucket as one 16-bit integer, to be packed. Buckets above `MAX_BUCKET` count as that one.

    `bucket` has shape (n,); `kind` is one for all of them, or an array of the same shape.
    """
    return np.asarray(kind, dtype=np.int64) << BUCKET_BITS | np.minimum(bucket, MAX_BUCKET)


def log_bucket(values: Numbers) -> Numbers:
    """Return the bucket of each count, 0 or more: 16 to the doubling, by the logarithm of the count plus one.

    >>> log_bucket(np.array([0, 1, 100, 200, 400])).tolist()
    [0, 16, 106, 122, 138]
    """
    return (np.log2(values + 1.0) * BUCKETS_PER_DOUBLING).astype(np.int64)


def log_bucket_middle(bucket: pl.Expr) -> pl.Expr:
    """Return the middle of a bucket of `log_bucket`; an integer where a bucket holds only one.

    >>> buckets = pl.DataFrame({"bucket": log_bucket(np.array([0, 1, 100, 2000]))})
    >>> [round(middle, 1) for middle in buckets.select(log_bucket_middle(pl.col("bucket"))).to_series()]
    [0.0, 1.0, 99.9, 2003.1]
    """
    middle = 2.0 ** ((bucket + 0.5) / BUCKETS_PER_DOUBLING) - 1
    return pl.when(middle < BUCKETS_PER_DOUBLING).then(middle.round()).otherwise(middle)


def ratio_bucket(output: Numbers, given: Numbers) -> Numbers:
    """Return the bucket of the ratio of output to input tokens, 16 to the doubling; 0 where there is no output."""
    logarithm = np.log2(np.maximum(output, 1) / np.maximum(given, 1))
    return np.where(output > 0, (logarithm + _RATIO_SHIFT) * BUCKETS_PER_DOUBLING, 0).astype(np.int64)


def ratio_bucket_middle(bucket: pl.Expr) -> pl.Expr:
    """Return the middle of a bucket of `ratio_bucket`.

    >>> buckets = pl.DataFrame({"bucket": ratio_bucket(np.array([300, 0]), np.array([100, 100]))})
    >>> [round(middle, 2) for middle in buckets.select(ratio_bucket_middle(pl.col("bucket"))).to_series()]
    [3.02, 0.0]
    """
    return pl.when(bucket > 0).then(2.0 ** ((bucket + 0.5) / BUCKETS_PER_DOUBLING - _RATIO_SHIFT)).otherwise(0.0)


@lru_cache(maxsize=4096)
def two_letter_bucket(text: str | None) -> int:
    """Return the bucket of a country or language code, from 1 to 676 in any case; 0 for what is not two letters.

    >>> two_letter_bucket("NL"), two_letter_code(two_letter_bucket("NL")), two_letter_bucket("nld")
    (350, 'nl', 0)
    """
    if not text or len(text) != 2 or not text.isascii() or not text.isalpha():
        return 0
    first, second = text.lower().encode()
    return (first - _A) * 26 + second - _A + 1


def two_letter_code(number: int) -> str:
    """Return the country or language code, in lower case, that `two_letter_bucket` gave this bucket."""
    return bytes((_A + (number - 1) // 26, _A + (number - 1) % 26)).decode()


def pack(owner: Numbers, codes: Numbers, count: Numbers | None = None, *, owners: int) -> list[bytes]:
    """Return the histograms of `owners` owners; counts of the same bucket add up.

    Args:
        owner: integers of shape (n,), each from 0 to `owners` - 1.
        codes: shape (n,), from `encode`.
        count: shape (n,); without it each row counts once.

    >>> codes = encode(Histogram.STATUS, np.array([0, 0, 2]))
    >>> describe(pack(np.zeros(3, dtype=int), codes, owners=1)[0])
    [('status', 'ok', 2), ('status', 'refused', 1)]
    """
    key = owner.astype(np.uint64) << np.uint64(COUNT_BITS) | codes.astype(np.uint64)
    keys, place = np.unique(key, return_inverse=True)
    counts = np.bincount(place, weights=count, minlength=len(keys)).astype(np.int64)
    entries_each = -(-counts // _MOST_COUNT)
    last = np.cumsum(entries_each) - 1
    values = np.full(int(entries_each.sum()), _MOST_COUNT, dtype=np.uint64)
    values[last] = counts - (entries_each - 1) * _MOST_COUNT
    keys = np.repeat(keys, entries_each)
    entries = ((keys & np.uint64(_MOST_COUNT)) << np.uint64(COUNT_BITS) | values).astype(_ENTRY)
    return split_entries(entries, (keys >> np.uint64(COUNT_BITS)).astype(np.int64), owners=owners)


def unpack(blobs: Sequence[bytes]) -> pl.DataFrame:
    """Return the columns owner (index of the sketch), kind, bucket and count, one row per stored entry."""
    owner, entries = join_entries(blobs, _ENTRY)
    return pl.DataFrame(
        {
            "owner": owner,
            "kind": (entries >> (COUNT_BITS + BUCKET_BITS)).astype(np.uint8),
            "bucket": ((entries >> COUNT_BITS) & MAX_BUCKET).astype(np.int64),
            "count": (entries & _MOST_COUNT).astype(np.int64),
        }
    )


def describe(blob: bytes) -> list[tuple[str, str, int]]:
    """Return a readable form of one sketch: the name of the kind, the bucket (by name if it has one) and its count."""
    counted = unpack([blob]).group_by("kind", "bucket").agg(pl.col("count").sum()).sort("kind", "bucket")
    names: dict[int, Sequence[str] | dict[int, str]] = {
        Histogram.STATUS: STATUSES,
        Histogram.TRAIT: TRAIT_NAMES,
        Histogram.TOPIC: TOPIC_NAMES,
        Histogram.MARKER: MARKERS,
        Histogram.CONCEPT: CONCEPTS,
    }
    letters = {Histogram.COUNTRY, Histogram.LANGUAGE}
    return [
        (
            Histogram(kind).name.lower(),
            names[kind][bucket] if kind in names else two_letter_code(bucket) if kind in letters else str(bucket),
            count,
        )
        for kind, bucket, count in counted.iter_rows()
    ]


def repack(blobs: Sequence[bytes]) -> list[bytes]:
    """Return merged sketches at their smallest: one entry for each bucket, apart from counts above 65,535."""
    found = unpack(blobs)
    codes = encode(found["kind"].to_numpy(), found["bucket"].to_numpy())
    return pack(found["owner"].to_numpy(), codes, found["count"].to_numpy(), owners=len(blobs))
