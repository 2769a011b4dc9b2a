"""The usage of a group, added up as if it were one account's. Pure.

Profiles merge, so what the members did is what one account would have done. What no member shows in its few requests
shows here; and what is natural for many customers together, a busy hour or many addresses, is not asked about.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from governance.detection.detectors import Detector
from governance.detection.finding import Family
from governance.usage.profiles.merging import MODEL_KEY, PROFILE_SCHEMA, merge

# What a sum of accounts can show. Pace, addresses, age and what was declared are each account's own.
SHOWN_TOGETHER: Final = frozenset({Family.CONTENT, Family.SHAPE, Family.TOGETHER, Family.HARMLESS})
ONLY_ALONE: Final = frozenset({"declared_use", "unattended_stream"})


def pooled(rows: pl.DataFrame, group_of: Mapping[int, int]) -> pl.DataFrame:
    """Rows of `PROFILE_SCHEMA` by group and model instead of by account and model."""
    groups = pl.col("account_id").replace_strict(group_of, return_dtype=pl.Int64)
    return merge(rows.with_columns(groups), by=MODEL_KEY).select(PROFILE_SCHEMA.keys())


def look_together(detectors: Iterable[Detector]) -> list[Detector]:
    """Those detectors that have something to say of accounts together."""
    return [one for one in detectors if one.family in SHOWN_TOGETHER and one.name not in ONLY_ALONE]
