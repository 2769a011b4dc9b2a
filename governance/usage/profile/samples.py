"""The commonest templates and addresses of a week, and a sample of its prompts' sketches. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from governance.usage.mixing import mix
from governance.usage.profile.tallies import Numbers, join, split

COMMONEST_KEPT: Final = 48
SKETCHES_KEPT: Final = 128

_USED: Final = np.dtype([("digest", "<i8"), ("uses", "<u4")])
_SKETCH: Final = np.dtype("<i8")


def pack_commonest(owner: Numbers, digest: Numbers, uses: Numbers | None = None, *, owners: int) -> list[bytes]:
    """What each owner, from 0 to `owners`, used most. Uses add up; without them each is one."""
    order = np.lexsort((digest, owner))
    owner, digest = owner[order], digest[order]
    starts = np.flatnonzero(_changes(owner) | _changes(digest))
    added = np.add.reduceat(np.ones_like(owner) if uses is None else uses[order], starts) if len(starts) else starts
    owner, digest = owner[starts], digest[starts]
    order = np.lexsort((digest, -added, owner))
    order = order[_place_in_run(owner) < COMMONEST_KEPT]
    entries = np.empty(len(order), dtype=_USED)
    entries["digest"], entries["uses"] = digest[order], added[order]
    return split(entries, owner[order], owners=owners)


class Used(NamedTuple):
    """The owner (place of the blob), digest and uses of each thing used."""

    owner: Numbers
    digest: Numbers
    uses: Numbers


def unpack_commonest(blobs: Sequence[bytes]) -> Used:
    owner, entries = join(blobs, _USED)
    return Used(owner, entries["digest"].astype(np.int64), entries["uses"].astype(np.int64))


def pack_sketches(owner: Numbers, sketches: Numbers, *, owners: int) -> list[bytes]:
    """A sample of the sketches of each owner, from 0 to `owners`.

    Kept are those whose hash is smallest (a bottom-k sample), so that the sample is fair to distinct sketches and
    does not depend on how they came together.
    """
    owner, sketches = sampled(owner, sketches, most=SKETCHES_KEPT)
    return split(sketches.astype(_SKETCH), owner, owners=owners)


class Sketches(NamedTuple):
    """The owner (place of the blob) of each sketch, and the sketches."""

    owner: Numbers
    sketch: Numbers


def unpack_sketches(blobs: Sequence[bytes]) -> Sketches:
    return Sketches(*join(blobs, _SKETCH))


def sampled(owner: Numbers, sketches: Numbers, *, most: int) -> tuple[Numbers, Numbers]:
    """At most so many distinct sketches of each owner, sorted by owner."""
    hashed = mix(sketches.astype(np.int64).view(np.uint64))  # one to one, so equal hashes are equal sketches
    order = np.lexsort((hashed, owner))
    order = order[_changes(owner[order]) | _changes(hashed[order])]
    order = order[_place_in_run(owner[order]) < most]
    return owner[order], sketches[order]


def _changes(values: Numbers) -> Numbers:
    """Where a value differs from the one before."""
    changes = np.ones(len(values), dtype=bool)
    changes[1:] = values[1:] != values[:-1]
    return changes


def _place_in_run(values: Numbers) -> Numbers:
    """The place of each value among equal ones that stand together, from 0."""
    starts = np.flatnonzero(_changes(values))
    return np.arange(len(values)) - np.repeat(starts, np.diff(np.append(starts, len(values))))
