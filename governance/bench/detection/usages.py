"""The usage of a labelled world's accounts, by the product's own steps, in memory: wire format, fingerprints, profiles.

A backtest does the same in a database and in the time of the events. To fit and compare models of content the end of
the world is enough, and takes a minute.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Final

import numpy as np
import polars as pl

from governance.bench.detection.world import files_of
from governance.usage.account_usage import AccountFacts, AccountUsage
from governance.usage.event_columns import EventFingerprints, build_columns, drop_events, event_key
from governance.usage.files import open_usage_file, read_lines
from governance.usage.fingerprint import fingerprints
from governance.usage.profiles.build import build_deltas
from governance.usage.profiles.compaction import merge_weeks, sketches_of
from governance.usage.profiles.features import build_account_usages
from governance.usage.profiles.merging import MODEL_KEY, PROFILE_SCHEMA, SKETCHES, merge
from governance.usage.profiles.rhythm import HOUR_ENTRY
from governance.usage.wire import Rejection, TimeRange, UsageEvent, decode_events

LINES_AT_ONCE: Final = 5_000
_ALL_TIME: Final = TimeRange(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def read_usages(folder: str, *, key: bytes) -> dict[str, AccountUsage]:
    """Return the usage of every account of a world at its end, by its name. `key` is that of the fingerprints."""
    numbers: dict[str, int] = {}
    name, _, _ = files_of(folder)
    with open_usage_file(name) as file:
        deltas = build_world_deltas(read_lines(name, file), numbers, key=key)
    return build_usages(deltas, numbers)


def build_world_deltas(lines: Iterable[bytes], numbers: dict[str, int], *, key: bytes) -> pl.DataFrame:
    """Return the deltas of these lines of the wire format. New accounts get the next number in `numbers`."""
    return pl.concat(build_deltas(columns) for columns in _batches(iter(lines), numbers, key=key))


def build_usages(
    deltas: pl.DataFrame, numbers: Mapping[str, int], *, before: datetime | None = None
) -> dict[str, AccountUsage]:
    """Return the usage of every account by its name, at the end or of the hours that begin before a time."""
    if before is not None:
        deltas = deltas.filter(pl.col("hour") < before.replace(tzinfo=None))
    found = build_account_usages(_as_read(deltas), dict.fromkeys(numbers.values(), AccountFacts()))
    return {name: found[number] for name, number in numbers.items()}


def _batches(lines: Iterator[bytes], numbers: dict[str, int], *, key: bytes) -> Iterator[dict[str, list[object]]]:
    seen: set[str] = set()
    while batch := [*islice(lines, LINES_AT_ONCE)]:
        events = [one for one in decode_events(batch, span=_ALL_TIME) if not isinstance(one, Rejection)]
        for event in events:
            numbers.setdefault(event.account, len(numbers) + 1)
        yield _columns(events, numbers, seen, key=key)


def _columns(
    events: list[UsageEvent], numbers: dict[str, int], seen: set[str], *, key: bytes
) -> dict[str, list[object]]:
    keys = [event_key("bench", event.account, event.id) for event in events]
    first = {one: place for place, one in reversed([*enumerate(keys)])}
    again = {one for one in first if one in seen}
    kept = [place for place, one in enumerate(keys) if first[one] == place]
    events, keys = [events[place] for place in kept], [keys[place] for place in kept]
    made = [*map(EventFingerprints, fingerprints([(event.messages, event.prompt) for event in events], key=key))]
    seen.update(keys)
    return drop_events(build_columns(events, made, keys, source="bench", account_pks=numbers), again)


def _as_read(deltas: pl.DataFrame) -> pl.DataFrame:
    """Return deltas as profiles are read when they have been compacted, a row for each account and model."""
    entries = np.empty(len(deltas), dtype=HOUR_ENTRY)
    for name in ("first", "last"):
        entries[name] = deltas[f"{name}_at"].cast(pl.Int64).to_numpy()
    for name in ("requests", "slots"):
        entries[name] = deltas[name].to_numpy()
    counters = deltas.with_columns(pl.Series("hours", [one.tobytes() for one in entries], dtype=pl.Binary))
    sketches = merge(merge_weeks(sketches_of(deltas)), by=MODEL_KEY)
    by_model = merge(counters.drop(SKETCHES), by=MODEL_KEY)
    return (
        by_model.join(sketches, on=MODEL_KEY)
        .with_columns(pl.col("first_at", "last_at").dt.replace_time_zone("UTC"))
        .select(PROFILE_SCHEMA.keys())
    )
