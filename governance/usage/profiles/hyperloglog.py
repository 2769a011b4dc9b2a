"""HyperLogLog: how many distinct prompts, end users, addresses and so on there were. Pure.

A sketch holds several counters, one for each `Counted`, of 1,024 registers each. Only registers that are not zero are
stored: 4 bytes each, `kind << 16 | register << 6 | rank`, little-endian, at most 4 KiB a counter. Sketches are merged
by concatenation; packing and estimating keep the greatest rank of a register. Merging is exact: it gives the sketch of
the union, in whatever order.

Error: standard error 1.04 / sqrt(1024) = 3.25 % of the number, without bias; up to about a hundred at most two off.

References: Flajolet, Fusy, Gandouet and Meunier 2007, HyperLogLog; the estimator is Ertl 2017, New cardinality
estimation algorithms for HyperLogLog sketches (arXiv 1702.01284), algorithm 6, which needs no correction tables.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Final
from zlib import crc32

import numpy as np

from governance.usage.murmur import mix64
from governance.usage.profiles.entries import Numbers, join_entries, split_entries

REGISTER_BITS: Final = 10
REGISTERS: Final = 2**REGISTER_BITS
STANDARD_ERROR: Final = 1.04 / REGISTERS**0.5
_RANK_BITS: Final = 6
_MOST_RANK: Final = 64 - REGISTER_BITS + 1
_ENTRY: Final = np.dtype("<u4")
_KIND_SHIFT: Final = REGISTER_BITS + _RANK_BITS
_OWNER_SHIFT: Final = 32
_KIND_MASK: Final = 2 ** (_OWNER_SHIFT - _KIND_SHIFT) - 1


class Counted(IntEnum):
    """What is counted. The numbers are stored: never change one, append new ones."""

    PROMPT = 0
    TEMPLATE = 1
    SYSTEM = 2
    END_USER = 3
    CONVERSATION = 4
    ADDRESS = 5
    NETWORK = 6
    CLIENT = 7
    KEY = 8


def hash_texts(texts: Iterable[str]) -> Numbers:
    """Return a 32-bit hash of each text (CRC-32), as integers of shape (n,) for `encode`. Not keyed.

    >>> hash_texts(["203.0.113.9", "203.0.113.9"]).tolist()
    [3138279537, 3138279537]
    """
    return np.array([*map(_hash, texts)], dtype=np.uint64)


# The same addresses, clients and keys are sent many times.
@lru_cache(maxsize=131_072)
def _hash(text: str) -> int:
    return crc32(text.encode())


def encode(kind: Counted, values: Numbers) -> Numbers:
    """Return the entry of each value, to be packed: which register it falls into, and its rank there.

    Args:
        kind: the counter.
        values: integers of shape (n,), at most 64 bits; equal values are the same thing.
    """
    mixed = mix64(values.astype(np.int64).view(np.uint64))
    register = mixed >> np.uint64(64 - REGISTER_BITS)
    # The rank is one more than the number of leading zeros in the bits below the register's. A float's exponent gives
    # the position of the highest bit; the last bit is set, so that there is one. Rounding to a float can only turn a
    # run of ones into the next power of two, which makes the rank one less.
    rest = (mixed & np.uint64(2 ** (64 - REGISTER_BITS) - 1)) << np.uint64(1) | np.uint64(1)
    rank = np.maximum(_MOST_RANK + 1 - np.frexp(rest.astype(np.float64))[1], 1).astype(np.uint64)
    entries: Numbers = np.uint64(int(kind) << (REGISTER_BITS + _RANK_BITS)) | register << np.uint64(_RANK_BITS) | rank
    return entries


def pack(owner: Numbers, entries: Numbers, *, owners: int) -> list[bytes]:
    """Return the sketches of `owners` owners; of a register that comes several times the greatest rank is kept.

    Args:
        owner: integers of shape (n,), each from 0 to `owners` - 1.
        entries: shape (n,), from `encode` or `unpack`.

    >>> seen = encode(Counted.PROMPT, np.arange(50_000))
    >>> (blob,) = pack(np.zeros(50_000, dtype=int), seen, owners=1)
    >>> number = estimate(*unpack([blob]), owners=1)[0, Counted.PROMPT]
    >>> len(blob) <= 4 * REGISTERS, bool(abs(number / 50_000 - 1) < 3 * STANDARD_ERROR)
    (True, True)
    """
    key = np.unique((owner.astype(np.uint64) << np.uint64(32)) | entries.astype(np.uint64))
    register = key >> np.uint64(_RANK_BITS)
    key = key[np.append(register[1:] != register[:-1], True)] if len(key) else key
    return split_entries(key.astype(_ENTRY), (key >> np.uint64(32)).astype(np.int64), owners=owners)


def unpack(blobs: Sequence[bytes]) -> tuple[Numbers, Numbers]:
    """Return the owner (index of the sketch) of each entry, and the entries; both of shape (n,)."""
    return join_entries(blobs, _ENTRY)


def estimate(owner: Numbers, entries: Numbers, *, owners: int) -> Numbers:
    """Return how many distinct values each owner has, floats of shape (owners, len(Counted)).

    `owner` and `entries` are as for `pack`, and need not be packed: merged sketches are estimated as their union.

    >>> counters = estimate(np.array([0, 0, 1]), encode(Counted.KEY, np.array([7, 7, 8])), owners=2)
    >>> counters[:, Counted.KEY].round().tolist(), counters[:, Counted.PROMPT].round().tolist()
    ([1.0, 1.0], [0.0, 0.0])
    """
    key = np.unique(owner.astype(np.int64) << _OWNER_SHIFT | entries.astype(np.int64))
    register = key >> _RANK_BITS
    greatest = key[np.append(register[1:] != register[:-1], True)] if len(key) else key
    sketch = (greatest >> _OWNER_SHIFT) * len(Counted) + (greatest >> _KIND_SHIFT & _KIND_MASK)
    rank = greatest & (2**_RANK_BITS - 1)
    counts = np.bincount(sketch << _RANK_BITS | rank, minlength=owners * len(Counted) << _RANK_BITS)
    by_rank = counts.reshape(-1, 2**_RANK_BITS)[:, : _MOST_RANK + 1].astype(float)
    by_rank[:, 0] = REGISTERS - by_rank[:, 1:].sum(axis=1)
    return _estimate(by_rank).reshape(owners, len(Counted))


def _estimate(counts: Numbers) -> Numbers:
    """Return Ertl's improved raw estimate of each counter.

    `counts` has shape (counters, ranks): how many registers hold each rank, from 0.
    """
    z = REGISTERS * _tau(1 - counts[:, _MOST_RANK] / REGISTERS)
    for rank in range(_MOST_RANK - 1, 0, -1):
        z = 0.5 * (z + counts[:, rank])
    z += REGISTERS * _sigma(counts[:, 0] / REGISTERS)
    estimate: Numbers = REGISTERS**2 / (2 * np.log(2) * z)
    return estimate


def _sigma(x: Numbers) -> Numbers:
    """X + Σ x^(2^k) 2^(k-1), Ertl's σ, for 0 ≤ x < 1."""
    total, power, weight = x.copy(), x.copy(), 1.0
    for _ in range(64):
        power = power * power
        if not (power * weight > total * 1e-17).any():
            break
        total += power * weight
        weight *= 2
    return total


def _tau(x: Numbers) -> Numbers:
    """(1 - x - Σ (1 - x^(2^-k))² 2^-k) / 3, Ertl's τ, for 0 < x ≤ 1."""
    total, root, weight = 1 - x, x.copy(), 1.0
    for _ in range(64):
        root, weight = np.sqrt(root), weight / 2
        total = total - (1 - root) ** 2 * weight
    return total / 3


def repack(blobs: Sequence[bytes]) -> list[bytes]:
    """Return merged sketches at their smallest: one entry for each register."""
    return pack(*unpack(blobs), owners=len(blobs))
