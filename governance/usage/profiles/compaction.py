"""Compaction: deltas put into the hourly profiles and weekly sketches that they belong to. Pure."""

from typing import Final

import polars as pl

from governance.usage.profiles import answer_samples, bottom_k, histograms, hyperloglog, top_k
from governance.usage.profiles.merging import (
    HOUR_KEY,
    HOUR_SCHEMA,
    SKETCHES,
    WEEK_KEY,
    WEEK_SCHEMA,
    merge,
)

_PACK: Final = {
    "histograms": histograms.repack,
    "distinct_counts": hyperloglog.repack,
    "templates": top_k.repack,
    "openings": top_k.repack,
    "closings": top_k.repack,
    "addresses": top_k.repack,
    "sketches": bottom_k.repack,
    "shingles": bottom_k.repack,
    "answers": answer_samples.repack,
}


def counters_of(deltas: pl.DataFrame) -> pl.DataFrame:
    """Return the counters of deltas as hourly profiles, several rows an hour; columns of `HOUR_SCHEMA`."""
    return deltas.select(HOUR_SCHEMA.keys())


def sketches_of(deltas: pl.DataFrame) -> pl.DataFrame:
    """Return the sketches of deltas as weekly sketches, several rows a week; columns of `WEEK_SCHEMA`."""
    return deltas.with_columns(week=pl.col("hour").dt.truncate("1w").dt.date()).select(WEEK_SCHEMA.keys())


def merge_hours(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each account, model and hour, in order of their keys; columns of `HOUR_SCHEMA`.

    The gap between the last request of a row and the first of the next is added. Rows that overlap in time come from
    batches that were taken in side by side: the gaps between their requests are not known, and small.
    """
    # A row without requests adds the token counts of earlier ones, and is sorted behind them: there is no gap.
    only_tokens = pl.col("requests") == 0
    rows = rows.sort(*HOUR_KEY, "first_at", only_tokens)
    before = pl.col("last_at").cum_max().shift(1).over(HOUR_KEY)
    gap = pl.when(~only_tokens).then((pl.col("first_at") - before).dt.total_microseconds().clip(0) / 1e6)
    rows = rows.with_columns(gap=gap).with_columns(
        gaps=pl.col("gaps") + pl.col("gap").is_not_null().cast(pl.Int64),
        gap_seconds=pl.col("gap_seconds") + pl.col("gap").fill_null(0),
        gap_squares=pl.col("gap_squares") + (pl.col("gap") * pl.col("gap")).fill_null(0),
    )
    return merge(rows.drop("gap"), by=HOUR_KEY)


def merge_weeks(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each account, model and week, in order of their keys, its sketches packed to their size.

    Columns are those of `WEEK_SCHEMA`.
    """
    merged = merge(rows.sort(WEEK_KEY), by=WEEK_KEY)
    packed = [pl.Series(name, _PACK[name](merged[name].to_list()), dtype=pl.Binary) for name in SKETCHES]
    return merged.with_columns(packed)


def profiles_csv(rows: pl.DataFrame) -> bytes:
    """Return deltas, hourly profiles or weekly sketches as `COPY … (FORMAT csv)` reads them, bytes in hexadecimal."""
    sketches = [name for name in SKETCHES if name in rows.columns]
    rows = rows.with_columns((pl.lit("\\x") + pl.col(name).bin.encode("hex")).alias(name) for name in sketches)
    return rows.write_csv(include_header=False, datetime_format="%FT%T%.6fZ").encode()
