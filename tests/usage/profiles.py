"""Events as columns, and profiles merged as the database merges them when they are read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from governance.usage.event_columns import EVENT_SCHEMA, EventColumns
from governance.usage.profiles.merging import MODEL_KEY, PROFILE_SCHEMA, merge
from governance.usage.profiles.rhythm import HOUR_ENTRY

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
    "openings": (),
    "closings": (),
    "manner": None,
    "reads": None,
    "concept": None,
    "opening_word": None,
    "answer_runs": None,
    "answer_chars": None,
    "answer_items": None,
    "reasoning": None,
}


def event(account: int = 1, *, minutes: float = 0, **given: Any) -> dict[str, Any]:
    """A request without text; every column that is not given is null or ordinary."""
    row: dict[str, Any] = dict.fromkeys(EVENT_SCHEMA)
    at = MONDAY.replace(tzinfo=UTC) + timedelta(minutes=minutes)
    return row | ORDINARY | {"account_id": account, "at": round(1e6 * at.timestamp())} | given


def columns(*events: dict[str, Any]) -> EventColumns:
    return {name: [event[name] for event in events] for name in events[0]}


def merged_by_model(deltas: pl.DataFrame) -> pl.DataFrame:
    """Return deltas as they are read when they have been compacted: see `sql.READ_PROFILES`."""
    entries = np.empty(len(deltas), dtype=HOUR_ENTRY)
    for name in ("first", "last"):
        entries[name] = deltas[f"{name}_at"].cast(pl.Int64).to_numpy()
    for name in ("requests", "slots"):
        entries[name] = deltas[name].to_numpy()
    hours = pl.Series("hours", [entry.tobytes() for entry in entries], dtype=pl.Binary)
    return (
        merge(deltas.with_columns(hours), by=MODEL_KEY)
        .with_columns(pl.col("first_at", "last_at").dt.replace_time_zone("UTC"))
        .select(PROFILE_SCHEMA.keys())
    )
