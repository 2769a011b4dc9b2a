"""Counts by kind and bucket, kept sparse: four bytes for each that is not nought. Pure.

An entry is a little-endian 32-bit integer, `kind << 27 | bucket << 16 | count`; a greater count takes several
entries. Entries add up, so that tallies are merged by writing one behind the other.
"""

from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from governance.usage.markers import MARKERS
from governance.usage.topics import NAMES as TOPIC_NAMES

Numbers = npt.NDArray[Any]

BUCKET_BITS: Final = 11
COUNT_BITS: Final = 16
MOST_BUCKET: Final = 2**BUCKET_BITS - 1
_MOST_COUNT: Final = 2**COUNT_BITS - 1
_ENTRY: Final = np.dtype("<u4")

# Sixteen buckets to the doubling: a bucket's middle is within 2.2 % of all it holds.
PER_DOUBLING: Final = 16
_RATIO_SHIFT: Final = 32
_A: Final = ord("a")


class Kind(IntEnum):
    """What is counted, and what its buckets are. The numbers are stored: they stay, new ones come at the end."""

    STATUS = 0  # place in STATUSES
    TRAIT = 1  # place in TRAITS
    INPUT = 2  # tokens, by logarithm
    OUTPUT = 3  # tokens, by logarithm
    RATIO = 4  # output to input tokens, by logarithm
    ANSWERS = 5  # answers asked for at once, where more than one
    TOP_LOGPROBS = 6  # alternatives a word, where any
    PARAMETERS = 7  # a hash of the settings
    COUNTRY = 8  # two letters as a number
    LANGUAGE = 9  # two letters as a number
    TOPIC = 10  # see governance.usage.topics
    MARKER = 11  # bit, see governance.usage.markers
    SYSTEM = 12  # a hash of the system prompt's digest


STATUSES: Final = ("ok", "error", "refused", "rate_limited")

# Yes or no of an event. The places are stored: they stay, new ones come at the end.
TRAITS: Final = (
    "stream", "seeded", "logprobs", "cold", "hot", "unset_temperature", "tools", "structured", "short_cap",
    "reasoning", "long_output", "standalone", "varied", "end_user", "conversation", "text", "system", "follow_up",
    "bare", "making", "work",
)  # fmt: skip
TRAIT: Final = {name: place for place, name in enumerate(TRAITS)}


def code(kind: Kind | Numbers, bucket: Numbers) -> Numbers:
    """Kind and bucket as one number of 16 bits."""
    return np.asarray(kind, dtype=np.int64) << BUCKET_BITS | np.minimum(bucket, MOST_BUCKET)


def by_logarithm(values: Numbers) -> Numbers:
    """The buckets of counts from 0 on."""
    return (np.log2(values + 1.0) * PER_DOUBLING).astype(np.int64)


def of_bucket(bucket: pl.Expr) -> pl.Expr:
    """The middle of a bucket of `by_logarithm`; whole where buckets hold but one number."""
    middle = 2.0 ** ((bucket + 0.5) / PER_DOUBLING) - 1
    return pl.when(middle < PER_DOUBLING).then(middle.round()).otherwise(middle)


def ratio_bucket(output: Numbers, given: Numbers) -> Numbers:
    """The buckets of output to input tokens; 0 where there is no output."""
    logarithm = np.log2(np.maximum(output, 1) / np.maximum(given, 1))
    return np.where(output > 0, (logarithm + _RATIO_SHIFT) * PER_DOUBLING, 0).astype(np.int64)


def of_ratio_bucket(bucket: pl.Expr) -> pl.Expr:
    """The middle of a bucket of `ratio_bucket`."""
    return pl.when(bucket > 0).then(2.0 ** ((bucket + 0.5) / PER_DOUBLING - _RATIO_SHIFT)).otherwise(0.0)


@lru_cache(maxsize=4096)
def letters(text: str | None) -> int:
    """Two letters as a number from 1 on, whatever their case; 0 for anything else."""
    if not text or len(text) != 2 or not text.isascii() or not text.isalpha():
        return 0
    first, second = text.lower().encode()
    return (first - _A) * 26 + second - _A + 1


def of_letters(number: int) -> str:
    """The two letters behind a number."""
    return bytes((_A + (number - 1) // 26, _A + (number - 1) % 26)).decode()


def pack(owner: Numbers, codes: Numbers, count: Numbers | None = None, *, owners: int) -> list[bytes]:
    """The tallies of each owner, from 0 to `owners`; what is given twice adds up. Without `count` each is one."""
    key = owner.astype(np.uint64) << np.uint64(COUNT_BITS) | codes.astype(np.uint64)
    keys, place = np.unique(key, return_inverse=True)
    counts = np.bincount(place, weights=count, minlength=len(keys)).astype(np.int64)
    entries_each = -(-counts // _MOST_COUNT)
    last = np.cumsum(entries_each) - 1
    values = np.full(int(entries_each.sum()), _MOST_COUNT, dtype=np.uint64)
    values[last] = counts - (entries_each - 1) * _MOST_COUNT
    keys = np.repeat(keys, entries_each)
    entries = ((keys & np.uint64(_MOST_COUNT)) << np.uint64(COUNT_BITS) | values).astype(_ENTRY)
    return split(entries, (keys >> np.uint64(COUNT_BITS)).astype(np.int64), owners=owners)


def unpack(blobs: Sequence[bytes]) -> pl.DataFrame:
    """Columns owner (place of the blob), kind, bucket and count; one row an entry."""
    owner, entries = join(blobs, _ENTRY)
    return pl.DataFrame(
        {
            "owner": owner,
            "kind": (entries >> (COUNT_BITS + BUCKET_BITS)).astype(np.uint8),
            "bucket": ((entries >> COUNT_BITS) & MOST_BUCKET).astype(np.int64),
            "count": (entries & _MOST_COUNT).astype(np.int64),
        }
    )


def told(blob: bytes) -> list[tuple[str, str, int]]:
    """What an owner's tallies say, for people: kind, bucket by its name where it has one, and count."""
    counted = unpack([blob]).group_by("kind", "bucket").agg(pl.col("count").sum()).sort("kind", "bucket")
    names: dict[int, Sequence[str]] = {
        Kind.STATUS: STATUSES, Kind.TRAIT: TRAITS, Kind.TOPIC: TOPIC_NAMES, Kind.MARKER: MARKERS,
    }  # fmt: skip
    letters = {Kind.COUNTRY, Kind.LANGUAGE}
    return [
        (
            Kind(kind).name.lower(),
            names[kind][bucket] if kind in names else of_letters(bucket) if kind in letters else str(bucket),
            count,
        )
        for kind, bucket, count in counted.iter_rows()
    ]


def split(entries: Numbers, owner: Numbers, *, owners: int) -> list[bytes]:
    """Entries sorted by owner as bytes, one for each owner."""
    blob, size = entries.tobytes(), entries.dtype.itemsize
    ends = np.searchsorted(owner, np.arange(owners + 1)) * size
    return [blob[start:end] for start, end in pairwise(ends)]


def join(blobs: Sequence[bytes], entry: np.dtype[Any]) -> tuple[Numbers, Numbers]:
    """The owner of each entry, and the entries of all blobs."""
    lengths = [len(blob) // entry.itemsize for blob in blobs]
    return np.repeat(np.arange(len(blobs)), lengths), np.frombuffer(b"".join(blobs), dtype=entry)
