"""When an account sends requests: by hour, by gap, and how it adopts new models. Pure."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from governance.usage.profiles.entries import Numbers, join_entries

# One for each hour of a model: first and last request in microseconds since 1970, requests, and which of its six slots
# of ten minutes had one, big-endian as PostgreSQL writes numbers.
HOUR_ENTRY: Final = np.dtype([("first", ">i8"), ("last", ">i8"), ("requests", ">i4"), ("slots", ">i2")])
SLOTS_AN_HOUR: Final = 6
# Of an account that is active more often no slots are listed: its slots say little about whom it acts with.
SLOTS_LISTED: Final = 300


def rhythm_features(rows: pl.DataFrame, owner: Numbers) -> Iterator[pl.DataFrame]:
    """Tables with a row an owner; `rows` have the columns owner, model, hours, gaps, gap_seconds and gap_squares."""
    row, entries = join_entries(rows["hours"].to_list(), HOUR_ENTRY)
    at = {name: pl.from_epoch(pl.Series(entries[name].astype(np.int64)), "us") for name in ("first", "last")}
    hours = pl.DataFrame(
        {
            "owner": owner[row],
            "model": rows["model"].gather(row),
            "requests": entries["requests"].astype(np.int64),
            "slots": entries["slots"].astype(np.int64),
            **at,
        }
    ).with_columns(hour=pl.col("first").dt.truncate("1h"))
    hours = hours.filter(pl.col("requests") > 0)  # not what only brought the figures of earlier requests
    yield _clock(hours)
    yield _slots(hours)
    yield _gaps(hours, rows)
    yield _pivot(hours)


def _clock(hours: pl.DataFrame) -> pl.DataFrame:
    requests = pl.col("requests")
    return (
        hours.group_by("owner", "hour")
        .agg(requests.sum())
        .group_by("owner")
        .agg(
            active_days=pl.col("hour").dt.date().n_unique(),
            active_hours=pl.len(),
            busiest_hour=requests.max(),
            hours_of_day=pl.concat_list(
                requests.filter(pl.col("hour").dt.hour() == clock).sum() for clock in range(24)
            ),
        )
    )


def _slots(hours: pl.DataFrame) -> pl.DataFrame:
    """Return the ten-minute slots with a request: how many, and which, counted from 1970, where they are few."""
    first = hours["hour"].dt.epoch("s").to_numpy() // 3600 * SLOTS_AN_HOUR
    row, bit = np.nonzero(hours["slots"].to_numpy()[:, None] >> np.arange(SLOTS_AN_HOUR) & 1)
    return (
        pl.DataFrame({"owner": hours["owner"].gather(row), "slot": first[row] + bit})
        .unique()
        .sort("owner", "slot")
        .group_by("owner", maintain_order=True)
        .agg("slot", active_slots=pl.len())
        .select("owner", "active_slots", slots=pl.when(pl.col("active_slots") <= SLOTS_LISTED).then("slot"))
    )


def _gaps(hours: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """How much the gaps between requests vary: their standard deviation in means."""
    before = pl.col("last").cum_max().shift(1).over("owner")
    between = (pl.col("first") - before).dt.total_microseconds().clip(0) / 1e6
    within = rows.group_by("owner").agg(pl.col("gaps", "gap_seconds", "gap_squares").sum())
    across = hours.sort("owner", "first").select("owner", between=between).drop_nulls()
    mean = pl.col("seconds") / pl.col("number")
    return (
        across.group_by("owner")
        .agg(number=pl.len(), seconds=pl.col("between").sum(), squares=(pl.col("between") * pl.col("between")).sum())
        .join(within, on="owner", how="right")
        .select(
            "owner",
            number=pl.col("number").fill_null(0) + pl.col("gaps"),
            seconds=pl.col("seconds").fill_null(0) + pl.col("gap_seconds"),
            squares=pl.col("squares").fill_null(0) + pl.col("gap_squares"),
        )
        .filter(pl.col("number") > 1)
        .select(
            "owner",
            gap_variation=(pl.col("squares") / pl.col("number") - mean * mean).clip(0).sqrt() / mean.clip(0.001),
        )
    )


def _pivot(hours: pl.DataFrame) -> pl.DataFrame:
    """Of an account that took up another model: how much of its traffic since went to the one taken up last."""
    taken_up = (
        hours.group_by("owner", "model")
        .agg(since=pl.col("first").min())
        .sort("owner", "since", "model")
        .group_by("owner", maintain_order=True)
        .agg(taken_up=pl.col("model").last(), since=pl.col("since").last(), known=pl.len())
        .filter(pl.col("known") > 1)
    )
    # Of the hour in which it was taken up, the part that was left.
    left = (pl.col("last") - pl.col("since")) / (pl.col("last") - pl.col("first"))
    requests = pl.col("requests") * pl.when(pl.col("first") < pl.col("since")).then(left).otherwise(1.0)
    return (
        hours.join(taken_up, on="owner")
        .filter(pl.col("last") >= pl.col("since"))
        .with_columns(requests=requests)
        .group_by("owner")
        .agg(
            pivot_share=pl.col("requests").filter(pl.col("model") == pl.col("taken_up")).sum()
            / pl.col("requests").sum(),
            pivot_events=pl.col("requests").sum().round().cast(pl.Int64),
        )
    )
