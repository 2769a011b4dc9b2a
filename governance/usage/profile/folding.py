"""Parts of the same hour made one. Pure."""

from typing import Any, Final

import polars as pl

from governance.usage.profile import distincts, samples, tallies
from governance.usage.profile.making import HOUR, SUMS
from governance.usage.profile.tallies import Numbers

ADDED: Final = (
    "requests", "failures", *SUMS, "input_squares", "output_squares", "gaps", "gap_seconds", "gap_squares",
)  # fmt: skip
BLOBS: Final = ("tallies", "distincts", "templates", "sketches")

# The columns of usage_profile.
SCHEMA: Final[dict[str, Any]] = {
    "account_id": pl.Int64,
    "model": pl.String,
    "hour": pl.Datetime("us"),
    "first_at": pl.Datetime("us"),
    "last_at": pl.Datetime("us"),
    "requests": pl.Int32,
    "failures": pl.Int32,
    **dict.fromkeys(SUMS, pl.Int64),
    "input_squares": pl.Float64,
    "output_squares": pl.Float64,
    "gaps": pl.Int32,
    "gap_seconds": pl.Float64,
    "gap_squares": pl.Float64,
    **dict.fromkeys(BLOBS, pl.Binary),
}
COLUMNS: Final = tuple(SCHEMA)


def folded(parts: pl.DataFrame) -> pl.DataFrame:
    """One profile for each account, model and hour of these parts, which have `COLUMNS`."""
    parts = parts.sort(*HOUR, "first_at").with_columns(owner=pl.struct(HOUR).rle_id())
    before = pl.col("last_at").cum_max().shift(1).over("owner")
    # Parts that overlap were taken in side by side: what lies between their requests is not known, and small.
    between = (pl.col("first_at") - before).dt.total_milliseconds().clip(0) / 1000
    parts = parts.with_columns(between=between).with_columns(
        gaps=pl.col("gaps") + pl.col("between").is_not_null().cast(pl.Int32),
        gap_seconds=pl.col("gap_seconds") + pl.col("between").fill_null(0),
        gap_squares=pl.col("gap_squares") + (pl.col("between") * pl.col("between")).fill_null(0),
    )
    sums = parts.group_by("owner", maintain_order=True).agg(
        *(pl.col(name).first() for name in HOUR),
        pl.col("first_at").min(),
        pl.col("last_at").max(),
        *(pl.col(name).sum() for name in ADDED),
    )
    return sums.with_columns(**merged(parts, owners=len(sums))).select(COLUMNS)


def merged(rows: pl.DataFrame, *, owners: int) -> dict[str, pl.Series]:
    """The blobs of each owner; `rows` have `BLOBS` and an `owner`, which is a number below `owners`."""
    owner = rows["owner"].to_numpy()
    tallied = _owned(tallies.unpack(rows["tallies"].to_list()), owner)
    codes = tallies.code(tallied["kind"].to_numpy(), tallied["bucket"].to_numpy())
    place, registers = distincts.unpack(rows["distincts"].to_list())
    templates, sketches = (
        samples.unpack_templates(rows["templates"].to_list()),
        samples.unpack_sketches(rows["sketches"].to_list()),
    )
    packed = {
        "tallies": tallies.pack(tallied["owner"].to_numpy(), codes, tallied["count"].to_numpy(), owners=owners),
        "distincts": distincts.pack(owner[place], registers, owners=owners),
        "templates": samples.pack_templates(owner[templates.owner], templates.digest, templates.uses, owners=owners),
        "sketches": samples.pack_sketches(owner[sketches.owner], sketches.sketch, owners=owners),
    }
    return {name: pl.Series(name, blobs, dtype=pl.Binary) for name, blobs in packed.items()}


def _owned(entries: pl.DataFrame, owner: Numbers) -> pl.DataFrame:
    """Entries of rows as entries of their owners."""
    return entries.with_columns(owner=pl.Series(owner[entries["owner"].to_numpy()]))
