"""Add up the usage of a group as if it were one account's. Pure.

Profiles can be merged, so the sum is what one account with all these requests would have. It shows what no member shows
in its few requests. Detectors for what is normal in a sum, a busy hour or many addresses, are left out.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from governance.detection.detectors import Detector
from governance.detection.finding import Family
from governance.usage.profiles.merging import MODEL_KEY, PROFILE_SCHEMA, merge

# Families whose detectors make sense for a sum of accounts. Pace, addresses, age and declared use do not add up.
SHOWN_TOGETHER: Final = frozenset({Family.CONTENT, Family.SHAPE, Family.TOGETHER, Family.HARMLESS})
ONLY_ALONE: Final = frozenset({"matches_declared_use", "unattended_stream"})


def pool_profiles(rows: pl.DataFrame, group_of: Mapping[int, int]) -> pl.DataFrame:
    """Return rows of `PROFILE_SCHEMA` by group and model instead of by account and model.

    `group_of` gives the group of every account in `rows`.
    """
    groups = pl.col("account_id").replace_strict(group_of, return_dtype=pl.Int64)
    return merge(rows.with_columns(groups), by=MODEL_KEY).select(PROFILE_SCHEMA.keys())


def detectors_for_groups(detectors: Iterable[Detector]) -> list[Detector]:
    """Return the detectors that make sense for several accounts' usage added up."""
    return [one for one in detectors if one.family in SHOWN_TOGETHER and one.name not in ONLY_ALONE]
