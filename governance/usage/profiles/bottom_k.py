"""Bottom-k: a uniform sample of the distinct values, those with the smallest hashes. Pure.

Kept for the sketches of an account's prompts and for runs of their words, 128 each a week. An entry takes 8 bytes, a
signed little-endian integer. Sketches are merged by concatenation; packing drops duplicates and keeps the `BOTTOM_K`
smallest hashes.

Reference: Cohen and Kaplan 2007, Summarizing data using bottom-k sketches (PODC). Which values are kept depends
on the values alone, so that the sample does not depend on the order of events or of merging, a frequent value is not
more likely to be in it, and the samples of two accounts can be compared.

Error: a share `p` of the distinct values is estimated with a standard error of sqrt(p (1 - p) / k): at most 0.045 with
k = 128. Exact up to k distinct values.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from governance.usage.murmur import mix64
from governance.usage.profiles.entries import Numbers, join_entries, rank_in_run, run_starts, split_entries

BOTTOM_K: Final = 128

_ENTRY: Final = np.dtype("<i8")


class SampledValues(NamedTuple):
    """Values of many samples, two arrays of shape (n,): which sample, and the 64-bit value."""

    owner: Numbers
    value: Numbers


def pack_bottom_k(owner: Numbers, values: Numbers, *, owners: int) -> list[bytes]:
    """Return a sample of at most `BOTTOM_K` distinct values for each of `owners` sketches.

    Args:
        owner: integers of shape (n,), each from 0 to `owners` - 1.
        values: 64-bit signed integers of shape (n,); duplicates count once.

    >>> (blob,) = pack_bottom_k(np.zeros(1000, dtype=int), np.arange(1000), owners=1)
    >>> sample = unpack_bottom_k([blob]).value
    >>> len(sample), bool(abs(sample.mean() - 500) < 100)
    (128, True)
    """
    owner, values = smallest_hashes(owner, values, most=BOTTOM_K)
    return split_entries(values.astype(_ENTRY), owner, owners=owners)


def unpack_bottom_k(blobs: Sequence[bytes]) -> SampledValues:
    """Return the values of these samples, as they are stored: one may come several times in a merged sample."""
    return SampledValues(*join_entries(blobs, _ENTRY))


def smallest_hashes(owner: Numbers, values: Numbers, *, most: int) -> SampledValues:
    """Return at most `most` distinct values of each owner, those with the smallest hashes, in order of owner and hash.

    >>> owner, values = np.array([0, 0, 0, 1]), np.array([5, 5, 6, 5])
    >>> [column.tolist() for column in smallest_hashes(owner, values, most=1)]
    [[0, 1], [5, 5]]
    """
    hashed = mix64(values.astype(np.int64).view(np.uint64))  # a bijection, so that equal hashes are equal values
    order = np.lexsort((hashed, owner))
    order = order[run_starts(owner[order]) | run_starts(hashed[order])]
    order = order[rank_in_run(owner[order]) < most]
    return SampledValues(owner[order], values[order])


def repack(blobs: Sequence[bytes]) -> list[bytes]:
    """Return merged samples without duplicates, cut to `BOTTOM_K`."""
    return pack_bottom_k(*unpack_bottom_k(blobs), owners=len(blobs))
