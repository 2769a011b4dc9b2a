"""How many different prompts, end users, addresses and so on there were: HyperLogLog, kept sparse. Pure.

Flajolet and others 2007, with the estimator of Ertl 2017 (arXiv 1702.01284), which needs no correction by tables. With
1,024 registers the standard error is 3.25 %, and small numbers are near exact. A register that has seen something takes
four bytes, `kind << 16 | register << 6 | rank`, little-endian. Merging keeps the greatest rank of a register, so that
sketches are merged by writing one behind the other.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Final
from zlib import crc32

import numpy as np

from governance.usage.mixing import mix
from governance.usage.profile.tallies import Numbers, join, split

REGISTER_BITS: Final = 10
REGISTERS: Final = 2**REGISTER_BITS
STANDARD_ERROR: Final = 1.04 / REGISTERS**0.5
_RANK_BITS: Final = 6
_MOST_RANK: Final = 64 - REGISTER_BITS + 1
_ENTRY: Final = np.dtype("<u4")
_KIND_SHIFT: Final = REGISTER_BITS + _RANK_BITS
_OWNER_SHIFT: Final = 32
_KIND_MASK: Final = 2 ** (_OWNER_SHIFT - _KIND_SHIFT) - 1


class Kind(IntEnum):
    """What is counted. The numbers are stored: they stay, new ones come at the end."""

    PROMPT = 0
    TEMPLATE = 1
    SYSTEM = 2
    END_USER = 3
    CONVERSATION = 4
    ADDRESS = 5
    NETWORK = 6
    CLIENT = 7
    KEY = 8


def hashes(texts: Iterable[str]) -> Numbers:
    """A 32-bit number for each text, the same for the same text."""
    return np.array([*map(_hash, texts)], dtype=np.uint64)


# Addresses, clients and keys come again and again.
@lru_cache(maxsize=131_072)
def _hash(text: str) -> int:
    return crc32(text.encode())


def codes(kind: Kind, values: Numbers) -> Numbers:
    """The entry of each value; `values` are integers in which equal means equal."""
    mixed = mix(values.astype(np.int64).view(np.uint64))
    register = mixed >> np.uint64(64 - REGISTER_BITS)
    # Of the bits below the register's, with a last one set; a float's exponent is the place of the highest. Rounding
    # on the way to the float can but turn all ones into the next power of two.
    rest = (mixed & np.uint64(2 ** (64 - REGISTER_BITS) - 1)) << np.uint64(1) | np.uint64(1)
    rank = np.maximum(_MOST_RANK + 1 - np.frexp(rest.astype(np.float64))[1], 1).astype(np.uint64)
    entries: Numbers = np.uint64(int(kind) << (REGISTER_BITS + _RANK_BITS)) | register << np.uint64(_RANK_BITS) | rank
    return entries


def pack(owner: Numbers, entries: Numbers, *, owners: int) -> list[bytes]:
    """The sketches of each owner, from 0 to `owners`; of a register that is given twice the greater rank counts."""
    key = np.unique((owner.astype(np.uint64) << np.uint64(32)) | entries.astype(np.uint64))
    register = key >> np.uint64(_RANK_BITS)
    key = key[np.append(register[1:] != register[:-1], True)] if len(key) else key
    return split(key.astype(_ENTRY), (key >> np.uint64(32)).astype(np.int64), owners=owners)


def unpack(blobs: Sequence[bytes]) -> tuple[Numbers, Numbers]:
    """The owner (place of the blob) of each entry, and the entries."""
    return join(blobs, _ENTRY)


def estimates(owner: Numbers, entries: Numbers, *, owners: int) -> Numbers:
    """How many different values each owner, from 0 to `owners`, has had: a row an owner, a column a kind."""
    key = np.unique(owner.astype(np.int64) << _OWNER_SHIFT | entries.astype(np.int64))
    register = key >> _RANK_BITS
    greatest = key[np.append(register[1:] != register[:-1], True)] if len(key) else key
    sketch = (greatest >> _OWNER_SHIFT) * len(Kind) + (greatest >> _KIND_SHIFT & _KIND_MASK)
    rank = greatest & (2**_RANK_BITS - 1)
    counts = np.bincount(sketch << _RANK_BITS | rank, minlength=owners * len(Kind) << _RANK_BITS)
    by_rank = counts.reshape(-1, 2**_RANK_BITS)[:, : _MOST_RANK + 1].astype(float)
    by_rank[:, 0] = REGISTERS - by_rank[:, 1:].sum(axis=1)
    return _estimate(by_rank).reshape(owners, len(Kind))


def _estimate(counts: Numbers) -> Numbers:
    """Ertl's improved raw estimator, from how many registers hold each rank; one row a sketch."""
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
