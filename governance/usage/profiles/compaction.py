"""Parts put into the hour and the week they belong to. Pure."""

from typing import Any, Final

import polars as pl

from governance.usage.profiles import bottom_k, histograms, hyperloglog, top_k
from governance.usage.profiles.build import HOUR_KEY, SCHEMA, SKETCH_COLUMNS, SUMMED
from governance.usage.profiles.entries import Numbers

COLUMNS: Final = tuple(SCHEMA)

WEEK_KEY: Final = ("account_id", "model", "week")

# The columns of usage_weeklysketch.
WEEK_SCHEMA: Final[dict[str, Any]] = {
    "account_id": pl.Int64,
    "model": pl.String,
    "week": pl.Date,
    **dict.fromkeys(SKETCH_COLUMNS, pl.Binary),
}
WEEK_COLUMNS: Final = tuple(WEEK_SCHEMA)


def merge_hours(parts: pl.DataFrame) -> pl.DataFrame:
    """One row for each account, model and hour of these parts, which have `COLUMNS`; without sketches."""
    # A part without requests brings the figures of an earlier one's, and comes behind it: between them is no gap.
    only_figures = pl.col("requests") == 0
    parts = parts.sort(*HOUR_KEY, "first_at", only_figures).with_columns(owner=pl.struct(HOUR_KEY).rle_id())
    before = pl.col("last_at").cum_max().shift(1).over("owner")
    # Parts that overlap were taken in side by side: what lies between their requests is not known, and small.
    between = pl.when(~only_figures).then((pl.col("first_at") - before).dt.total_microseconds().clip(0) / 1e6)
    parts = parts.with_columns(between=between).with_columns(
        gaps=pl.col("gaps") + pl.col("between").is_not_null().cast(pl.Int32),
        gap_seconds=pl.col("gap_seconds") + pl.col("between").fill_null(0),
        gap_squares=pl.col("gap_squares") + (pl.col("between") * pl.col("between")).fill_null(0),
    )
    return (
        parts.group_by("owner", maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in HOUR_KEY),
            pl.col("first_at").min(),
            pl.col("last_at").max(),
            *(pl.col(name).sum() for name in SUMMED),
        )
        .with_columns(pl.lit(None, pl.Binary).alias(name) for name in SKETCH_COLUMNS)
        .select(COLUMNS)
    )


def weekly_sketches(parts: pl.DataFrame) -> pl.DataFrame:
    """The sketches of these parts as rows of `WEEK_COLUMNS`, several a week."""
    fresh = parts.filter(pl.col("histograms").is_not_null())
    fresh = fresh.with_columns(pl.col("addresses", "shingles").fill_null(b""))  # parts of before they were kept
    return fresh.with_columns(week=pl.col("hour").dt.truncate("1w").dt.date()).select(WEEK_COLUMNS)


def merge_weeks(sketches: pl.DataFrame) -> pl.DataFrame:
    """One row for each account, model and week of these, which have `WEEK_COLUMNS`."""
    sketches = sketches.sort(*WEEK_KEY).with_columns(owner=pl.struct(WEEK_KEY).rle_id())
    first = sketches.group_by("owner", maintain_order=True).agg(pl.col(name).first() for name in WEEK_KEY)
    return first.with_columns(**merge_sketches(sketches, owners=len(first))).select(WEEK_COLUMNS)


def merge_sketches(rows: pl.DataFrame, *, owners: int) -> dict[str, pl.Series]:
    """The blobs of each owner; `rows` have `SKETCH_COLUMNS` and an `owner`, which is a number below `owners`."""
    owner = rows["owner"].to_numpy()
    counted = _owned(histograms.unpack(rows["histograms"].to_list()), owner)
    codes = histograms.encode(counted["kind"].to_numpy(), counted["bucket"].to_numpy())
    place, registers = hyperloglog.unpack(rows["distinct_counts"].to_list())
    templates, addresses, sketches, shingles = (
        top_k.unpack_top_k(rows["templates"].to_list()),
        top_k.unpack_top_k(rows["addresses"].to_list()),
        bottom_k.unpack_bottom_k(rows["sketches"].to_list()),
        bottom_k.unpack_bottom_k(rows["shingles"].to_list()),
    )
    packed = {
        "histograms": histograms.pack(counted["owner"].to_numpy(), codes, counted["count"].to_numpy(), owners=owners),
        "distinct_counts": hyperloglog.pack(owner[place], registers, owners=owners),
        "templates": top_k.pack_top_k(owner[templates.owner], templates.digest, templates.uses, owners=owners),
        "addresses": top_k.pack_top_k(owner[addresses.owner], addresses.digest, addresses.uses, owners=owners),
        "sketches": bottom_k.pack_bottom_k(owner[sketches.owner], sketches.value, owners=owners),
        "shingles": bottom_k.pack_bottom_k(owner[shingles.owner], shingles.value, owners=owners),
    }
    return {name: pl.Series(name, blobs, dtype=pl.Binary) for name, blobs in packed.items()}


def profiles_csv(rows: pl.DataFrame) -> bytes:
    """Rows of `COLUMNS` or `WEEK_COLUMNS` in the dialect of `COPY … (FORMAT csv)`."""
    rows = rows.with_columns((pl.lit("\\x") + pl.col(name).bin.encode("hex")).alias(name) for name in SKETCH_COLUMNS)
    return rows.write_csv(include_header=False, datetime_format="%FT%T%.6fZ").encode()


def _owned(entries: pl.DataFrame, owner: Numbers) -> pl.DataFrame:
    """Entries of rows as entries of their owners."""
    return entries.with_columns(owner=pl.Series(owner[entries["owner"].to_numpy()]))
