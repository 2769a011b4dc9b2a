"""Parts put into the hour and the week they belong to. Pure."""

from typing import Any, Final

import polars as pl

from governance.usage.profile import distincts, samples, tallies
from governance.usage.profile.making import ADDED, BLOBS, HOUR, SCHEMA
from governance.usage.profile.tallies import Numbers

COLUMNS: Final = tuple(SCHEMA)

WEEK: Final = ("account_id", "model", "week")

# The columns of usage_weeklysketch.
WEEK_SCHEMA: Final[dict[str, Any]] = {
    "account_id": pl.Int64,
    "model": pl.String,
    "week": pl.Date,
    **dict.fromkeys(BLOBS, pl.Binary),
}
WEEK_COLUMNS: Final = tuple(WEEK_SCHEMA)


def hours(parts: pl.DataFrame) -> pl.DataFrame:
    """One row for each account, model and hour of these parts, which have `COLUMNS`; without sketches."""
    # A part without requests brings the figures of an earlier one's, and comes behind it: between them is no gap.
    only_figures = pl.col("requests") == 0
    parts = parts.sort(*HOUR, "first_at", only_figures).with_columns(owner=pl.struct(HOUR).rle_id())
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
            *(pl.col(name).first() for name in HOUR),
            pl.col("first_at").min(),
            pl.col("last_at").max(),
            *(pl.col(name).sum() for name in ADDED),
        )
        .with_columns(pl.lit(None, pl.Binary).alias(name) for name in BLOBS)
        .select(COLUMNS)
    )


def sketches_of(parts: pl.DataFrame) -> pl.DataFrame:
    """The sketches of these parts as rows of `WEEK_COLUMNS`, several a week."""
    fresh = parts.filter(pl.col("tallies").is_not_null())
    fresh = fresh.with_columns(pl.col("addresses", "shingles").fill_null(b""))  # parts of before they were kept
    return fresh.with_columns(week=pl.col("hour").dt.truncate("1w").dt.date()).select(WEEK_COLUMNS)


def weeks(sketches: pl.DataFrame) -> pl.DataFrame:
    """One row for each account, model and week of these, which have `WEEK_COLUMNS`."""
    sketches = sketches.sort(*WEEK).with_columns(owner=pl.struct(WEEK).rle_id())
    first = sketches.group_by("owner", maintain_order=True).agg(pl.col(name).first() for name in WEEK)
    return first.with_columns(**merged(sketches, owners=len(first))).select(WEEK_COLUMNS)


def merged(rows: pl.DataFrame, *, owners: int) -> dict[str, pl.Series]:
    """The blobs of each owner; `rows` have `BLOBS` and an `owner`, which is a number below `owners`."""
    owner = rows["owner"].to_numpy()
    tallied = _owned(tallies.unpack(rows["tallies"].to_list()), owner)
    codes = tallies.code(tallied["kind"].to_numpy(), tallied["bucket"].to_numpy())
    place, registers = distincts.unpack(rows["distincts"].to_list())
    templates, addresses, sketches, shingles = (
        samples.unpack_commonest(rows["templates"].to_list()),
        samples.unpack_commonest(rows["addresses"].to_list()),
        samples.unpack_sketches(rows["sketches"].to_list()),
        samples.unpack_sketches(rows["shingles"].to_list()),
    )
    packed = {
        "tallies": tallies.pack(tallied["owner"].to_numpy(), codes, tallied["count"].to_numpy(), owners=owners),
        "distincts": distincts.pack(owner[place], registers, owners=owners),
        "templates": samples.pack_commonest(owner[templates.owner], templates.digest, templates.uses, owners=owners),
        "addresses": samples.pack_commonest(owner[addresses.owner], addresses.digest, addresses.uses, owners=owners),
        "sketches": samples.pack_sketches(owner[sketches.owner], sketches.sketch, owners=owners),
        "shingles": samples.pack_sketches(owner[shingles.owner], shingles.sketch, owners=owners),
    }
    return {name: pl.Series(name, blobs, dtype=pl.Binary) for name, blobs in packed.items()}


def to_copy(rows: pl.DataFrame) -> bytes:
    """Rows of `COLUMNS` or `WEEK_COLUMNS` in the dialect of `COPY … (FORMAT csv)`."""
    rows = rows.with_columns((pl.lit("\\x") + pl.col(name).bin.encode("hex")).alias(name) for name in BLOBS)
    return rows.write_csv(include_header=False, datetime_format="%FT%T%.6fZ").encode()


def _owned(entries: pl.DataFrame, owner: Numbers) -> pl.DataFrame:
    """Entries of rows as entries of their owners."""
    return entries.with_columns(owner=pl.Series(owner[entries["owner"].to_numpy()]))
