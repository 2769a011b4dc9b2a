"""What profiles are made of, and how two of them become one. Pure.

A profile says what an account did with a model in a period. It is stored in three tables, which share the columns
below:

- *deltas* (`usage_profiledelta`), one for each account, model and hour of a batch: counters and sketches,
- *hourly profiles* (`usage_hourlyprofile`): counters,
- *weekly sketches* (`usage_weeklysketch`): sketches.

`COLUMNS` says how each column is merged. Everything that merges profiles follows from it: `merge` in polars, which
compaction and groups of accounts use, and `sql_aggregates` for what the database merges when profiles are read.
Merging is associative and commutative, so deltas give the same profile in any order and any grouping, except for
what `pack` drops of top-k sketches (see `profiles.top_k`).
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

import polars as pl


class Aggregation(Enum):
    """How the values of a column become one; the value is PostgreSQL's aggregate function."""

    SUM = "sum"
    MIN = "min"
    MAX = "max"
    OR = "bit_or"
    CONCATENATE = "string_agg"  # sketches: their entries add up, or the duplicates are dropped when they are packed

    def in_polars(self, name: str) -> pl.Expr:
        """Return the aggregation; for sketches a list, since polars cannot concatenate bytes."""
        column = pl.col(name)
        return {
            Aggregation.SUM: column.sum(),
            Aggregation.MIN: column.min(),
            Aggregation.MAX: column.max(),
            Aggregation.OR: column.bitwise_or(),
        }.get(self, column)

    def in_sql(self, name: str) -> str:
        return f"string_agg({name}, '')" if self is Aggregation.CONCATENATE else f"{self.value}({name})"


class Column(NamedTuple):
    """The polars type of a column, and how it is merged."""

    dtype: Any
    aggregation: Aggregation


TOKENS: Final = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens")

COUNTERS: Final[dict[str, Column]] = {
    "first_at": Column(pl.Datetime("us"), Aggregation.MIN),
    "last_at": Column(pl.Datetime("us"), Aggregation.MAX),
    "requests": Column(pl.Int64, Aggregation.SUM),
    "failures": Column(pl.Int64, Aggregation.SUM),
    **dict.fromkeys(TOKENS, Column(pl.Int64, Aggregation.SUM)),
    "input_squares": Column(pl.Float64, Aggregation.SUM),  # sum of squares of the input tokens of each request
    "output_squares": Column(pl.Float64, Aggregation.SUM),
    "gaps": Column(pl.Int64, Aggregation.SUM),  # pauses between consecutive requests: how many, seconds, seconds²
    "gap_seconds": Column(pl.Float64, Aggregation.SUM),
    "gap_squares": Column(pl.Float64, Aggregation.SUM),
    "slots": Column(
        pl.Int64, Aggregation.OR
    ),  # which ten minutes of the hour had a request, one bit each: see `rhythm`
}
_SKETCHES: Final = (
    "histograms", "distinct_counts", "templates", "openings", "closings", "addresses", "sketches", "shingles",
    "answers",
)  # fmt: skip
SKETCHES: Final[dict[str, Column]] = dict.fromkeys(_SKETCHES, Column(pl.Binary, Aggregation.CONCATENATE))
# First and last request, requests and slots of each hour, of a profile that is read: see `profiles.rhythm`.
HOURS: Final = {"hours": Column(pl.Binary, Aggregation.CONCATENATE)}
COLUMNS: Final = {**COUNTERS, **SKETCHES, **HOURS}

MODEL_KEY: Final = ("account_id", "model")
HOUR_KEY: Final = (*MODEL_KEY, "hour")
WEEK_KEY: Final = (*MODEL_KEY, "week")
_KEYS: Final = {"account_id": pl.Int64, "model": pl.String, "hour": pl.Datetime("us"), "week": pl.Date}


def _schema(key: Iterable[str], columns: Iterable[str]) -> dict[str, Any]:
    return {name: _KEYS[name] for name in key} | {name: COLUMNS[name].dtype for name in columns}


DELTA_SCHEMA: Final = _schema(HOUR_KEY, (*COUNTERS, *SKETCHES))
HOUR_SCHEMA: Final = _schema(HOUR_KEY, COUNTERS)
WEEK_SCHEMA: Final = _schema(WEEK_KEY, SKETCHES)
# A profile as it is read: counters and sketches of a window, one row for each account and model.
PROFILE_SCHEMA: Final = _schema(MODEL_KEY, COLUMNS) | dict.fromkeys(("first_at", "last_at"), pl.Datetime("us", "UTC"))


def merge(rows: pl.DataFrame, *, by: Sequence[str]) -> pl.DataFrame:
    """Return one row for each key: rows with the same values in `by` are merged, column by column.

    Args:
        rows: the columns in `by` and any of `COLUMNS`; null sketches count as empty.
        by: the key, such as `HOUR_KEY`. Rows come in the order in which their key is first seen.

    Sketches are concatenated, not packed: reading them gives the same result, but they grow with each merge.

    >>> rows = pl.DataFrame(
    ...     {"account_id": [7, 7], "model": ["m", "m"], "requests": [2, 3], "histograms": [b"ab", b"c"]}
    ... )
    >>> merge(rows, by=MODEL_KEY).row(0)
    (7, 'm', 5, b'abc')
    """
    names = [name for name in rows.columns if name in COLUMNS]
    merged = rows.group_by(*by, maintain_order=True).agg(COLUMNS[name].aggregation.in_polars(name) for name in names)
    joined = [
        pl.Series(name, [b"".join(filter(None, blobs)) for blobs in merged[name]], dtype=pl.Binary)
        for name in names
        if COLUMNS[name].aggregation is Aggregation.CONCATENATE
    ]
    return merged.with_columns(joined)


def sql_aggregates(columns: Iterable[str]) -> str:
    """Return the select list that merges these columns in PostgreSQL, for a query that groups by the key.

    >>> sql_aggregates(["first_at", "requests", "input_squares", "shingles"])
    "min(first_at) AS first_at, sum(requests)::bigint AS requests, sum(input_squares) AS input_squares, \
string_agg(shingles, '') AS shingles"
    """
    # PostgreSQL adds bigints to numeric, which would come back as Decimal.
    whole = {name: "::bigint" for name in columns if COLUMNS[name].dtype == pl.Int64}
    return ", ".join(f"{COLUMNS[name].aggregation.in_sql(name)}{whole.get(name, '')} AS {name}" for name in columns)
