"""Add up the usage of a group as if it were one account's. Pure.

Profiles can be merged, so the sum is what one account with all these requests would have. It shows what no member shows
in its few requests. Detectors for what is normal in a sum, a busy hour or many addresses, are left out.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from governance.detection.detectors import Detector
from governance.detection.finding import Family
from governance.usage.profile.reading import ROWS

# Families whose detectors make sense for a sum of accounts. Pace, addresses, age and declared use do not add up.
SHOWN_TOGETHER: Final = frozenset({Family.CONTENT, Family.SHAPE, Family.TOGETHER, Family.HARMLESS})
ONLY_ALONE: Final = frozenset({"matches_declared_use", "unattended_stream"})

_FIRST: Final = {"first_at": pl.col("first_at").min(), "last_at": pl.col("last_at").max()}
_JOINED: Final = tuple(name for name, kind in ROWS.items() if kind == pl.Binary)
_ADDED: Final = tuple(name for name in ROWS if name not in {"account_id", "model", *_FIRST, *_JOINED})


def pool_profiles(rows: pl.DataFrame, group_of: Mapping[int, int]) -> pl.DataFrame:
    """Return rows of `profile.reading.ROWS` by group and model instead of by account and model.

    `group_of` gives the group of every account in `rows`.
    """
    groups = pl.col("account_id").replace_strict(group_of, return_dtype=pl.Int64)
    merged = (
        rows.with_columns(groups)
        .group_by("account_id", "model", maintain_order=True)
        .agg(pl.col(*_ADDED).sum(), pl.col(*_JOINED), **_FIRST)
    )
    joined = [
        pl.Series(name, [b"".join(b for b in blobs if b) for blobs in merged[name]], pl.Binary) for name in _JOINED
    ]
    return merged.with_columns(joined).select(list(ROWS))


def detectors_for_groups(detectors: Iterable[Detector]) -> list[Detector]:
    """Return the detectors that make sense for several accounts' usage added up."""
    return [one for one in detectors if one.family in SHOWN_TOGETHER and one.name not in ONLY_ALONE]
