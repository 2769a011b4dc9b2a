"""Events as columns, and profiles merged as the database merges them when they are read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from governance.usage.event_columns import EVENT_SCHEMA, EventColumns
from governance.usage.profiles.build import SKETCH_COLUMNS
from governance.usage.profiles.features import PROFILE_COLUMNS

MONDAY = datetime(2026, 11, 2, 9)  # noqa: DTZ001 - as columns hold times: UTC, without saying so

ORDINARY: dict[str, Any] = {
    "model": "flagship-2",
    "operation": "chat",
    "status": "ok",
    "input_tokens": 100,
    "output_tokens": 200,
    "cached_input_tokens": 0,
    "reasoning_tokens": 0,
    "latency_ms": 900,
    "n": 1,
    "logprobs": False,
    "top_logprobs": 0,
    "seeded": False,
    "stream": False,
    "tools": 0,
    "shingles": (),
}


def event(account: int = 1, *, minutes: float = 0, **given: Any) -> dict[str, Any]:
    """A request without text; every column that is not given is null or ordinary."""
    row: dict[str, Any] = dict.fromkeys(EVENT_SCHEMA)
    at = MONDAY.replace(tzinfo=UTC) + timedelta(minutes=minutes)
    return row | ORDINARY | {"account_id": account, "at": round(1e6 * at.timestamp())} | given


def columns(*events: dict[str, Any]) -> EventColumns:
    return {name: [event[name] for event in events] for name in events[0]}


def merged_by_model(parts: pl.DataFrame) -> pl.DataFrame:
    """What `sql.READ_PROFILES` makes of parts: sums, and blobs one behind the other."""
    entries = np.empty(len(parts), dtype=[("first", ">i8"), ("last", ">i8"), ("requests", ">i4")])
    for name in ("first", "last"):
        entries[name] = parts[f"{name}_at"].cast(pl.Int64).to_numpy()
    entries["requests"] = parts["requests"].to_numpy()
    hours = [entry.tobytes() for entry in entries]
    sums = [
        name for name in PROFILE_COLUMNS if name in parts.columns and PROFILE_COLUMNS[name] in {pl.Int64, pl.Float64}
    ][1:]
    return (
        parts.with_columns(hours=pl.Series(hours, dtype=pl.Binary))
        .group_by("account_id", "model")
        .agg(
            *(pl.col(name).cast(PROFILE_COLUMNS[name]).sum() for name in sums),
            pl.col("first_at").min().dt.replace_time_zone("UTC"),
            pl.col("last_at").max().dt.replace_time_zone("UTC"),
            *(pl.col(name) for name in (*SKETCH_COLUMNS, "hours")),
        )
        .with_columns(pl.col(*SKETCH_COLUMNS, "hours").map_elements(b"".join, return_dtype=pl.Binary))
        .select(*PROFILE_COLUMNS)
    )
