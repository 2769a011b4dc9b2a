"""Top-k: the values used most, with their counts. Pure.

Kept for an account's prompt templates and addresses of a week, 48 each. An entry takes 12 bytes: a digest of 64 bits,
signed, and a count of 32 bits, both little-endian. Sketches are merged by concatenation; packing adds the counts of
equal digests and keeps the `TOP_K` largest.

Error: counts are exact as long as no more than `TOP_K` different values were seen between two packings. Beyond that
the count of a value is too low by what it had in the batches and weeks in which it was not among the `TOP_K`; it is
never too high. Compare Metwally and others 2005 (space-saving), which bounds the error but overestimates.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from governance.usage.profiles.entries import Numbers, join_entries, rank_in_run, run_starts, split_entries

TOP_K: Final = 48

_ENTRY: Final = np.dtype([("digest", "<i8"), ("uses", "<u4")])


class TopEntries(NamedTuple):
    """Entries of many sketches, three arrays of shape (n,): which sketch, which value, how often it was used."""

    owner: Numbers
    digest: Numbers
    uses: Numbers


def pack_top_k(owner: Numbers, digest: Numbers, uses: Numbers | None = None, *, owners: int) -> list[bytes]:
    """Return the `TOP_K` most used values of each sketch; of two used equally the one with the smaller digest.

    Args:
        owner: integers of shape (n,), each from 0 to `owners` - 1.
        digest: 64-bit signed integers of shape (n,). The same digest may come several times; its uses add up.
        uses: counts of shape (n,); without it each row counts once.
        owners: the number of sketches returned.

    >>> owner, digest = np.array([0, 0, 0, 1]), np.array([77, 88, 77, 99])
    >>> top = unpack_top_k(pack_top_k(owner, digest, owners=2))
    >>> list(zip(top.owner.tolist(), top.digest.tolist(), top.uses.tolist()))
    [(0, 77, 2), (0, 88, 1), (1, 99, 1)]
    """
    order = np.lexsort((digest, owner))
    owner, digest = owner[order], digest[order]
    starts = np.flatnonzero(run_starts(owner) | run_starts(digest))
    added = np.add.reduceat(np.ones_like(owner) if uses is None else uses[order], starts) if len(starts) else starts
    owner, digest = owner[starts], digest[starts]
    order = np.lexsort((digest, -added, owner))
    order = order[rank_in_run(owner) < TOP_K]
    entries = np.empty(len(order), dtype=_ENTRY)
    entries["digest"], entries["uses"] = digest[order], added[order]
    return split_entries(entries, owner[order], owners=owners)


def unpack_top_k(blobs: Sequence[bytes]) -> TopEntries:
    """Return the entries of these sketches, as they are stored: a digest may come several times in a merged one."""
    owner, entries = join_entries(blobs, _ENTRY)
    return TopEntries(owner, entries["digest"].astype(np.int64), entries["uses"].astype(np.int64))


def repack(blobs: Sequence[bytes]) -> list[bytes]:
    """Return merged sketches with the uses of equal digests added, cut to `TOP_K`."""
    return pack_top_k(*unpack_top_k(blobs), owners=len(blobs))
