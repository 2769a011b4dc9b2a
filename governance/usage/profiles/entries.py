"""Fixed-size entries of many sketches in one array, and as one byte string for each sketch. Pure.

A sketch (a histogram, a HyperLogLog, a sample) is stored as bytes: its entries one after another, each of the same
size. Code that works on many sketches holds all their entries in one array of shape (n,), beside an integer array
`owner` of the same shape that says to which sketch each entry belongs, from 0 to `owners` - 1.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]


def split_entries(entries: Numbers, owner: Numbers, *, owners: int) -> list[bytes]:
    """Return the entries of each sketch as bytes.

    Args:
        entries: shape (n,), of any fixed-size dtype.
        owner: shape (n,), ascending; the sketch that each entry belongs to.
        owners: the number of sketches, and of byte strings returned.

    >>> split_entries(np.array([65, 66, 67], dtype="u1"), np.array([0, 0, 2]), owners=3)
    [b'AB', b'', b'C']
    """
    blob, size = entries.tobytes(), entries.dtype.itemsize
    ends = np.searchsorted(owner, np.arange(owners + 1)) * size
    return [blob[start:end] for start, end in pairwise(ends)]


def join_entries(blobs: Sequence[bytes], entry: np.dtype[Any]) -> tuple[Numbers, Numbers]:
    """Return `owner` and `entries`, both of shape (n,), of the sketches in `blobs`: the reverse of `split_entries`.

    >>> owner, entries = join_entries([b"AB", b"", b"C"], np.dtype("u1"))
    >>> owner.tolist(), entries.tolist()
    ([0, 0, 2], [65, 66, 67])
    """
    lengths = [len(blob) // entry.itemsize for blob in blobs]
    return np.repeat(np.arange(len(blobs)), lengths), np.frombuffer(b"".join(blobs), dtype=entry)


def run_starts(values: Numbers) -> Numbers:
    """Return a boolean array: True where a value differs from the one before, and for the first.

    >>> run_starts(np.array([4, 4, 7])).tolist()
    [True, False, True]
    """
    changes = np.ones(len(values), dtype=bool)
    changes[1:] = values[1:] != values[:-1]
    return changes


def rank_in_run(values: Numbers) -> Numbers:
    """Return the position of each value within its run of equal values, from 0.

    >>> rank_in_run(np.array([4, 4, 4, 7, 4])).tolist()
    [0, 1, 2, 0, 0]
    """
    starts = np.flatnonzero(run_starts(values))
    return np.arange(len(values)) - np.repeat(starts, np.diff(np.append(starts, len(values))))
