"""From usage events to columns, and to what COPY reads. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Final

import polars as pl

from governance.usage.fingerprint import Fingerprint
from governance.usage.wire import UsageEvent

USER_AGENT_KEPT: Final = 256

# The columns of usage_usageevent, in the order in which they are copied.
SCHEMA: Final[dict[str, Any]] = {
    "key": pl.String,
    "day": pl.Date,
    "occurred_at": pl.Datetime("us"),
    "source": pl.String,
    "event_id": pl.String,
    "account_id": pl.Int64,
    "api_key": pl.String,
    "model": pl.String,
    "operation": pl.String,
    "status": pl.String,
    "input_tokens": pl.Int32,
    "output_tokens": pl.Int32,
    "cached_input_tokens": pl.Int32,
    "reasoning_tokens": pl.Int32,
    "latency_ms": pl.Int32,
    "ip": pl.String,
    "asn": pl.Int64,
    "country": pl.String,
    "user_agent": pl.String,
    "end_user": pl.String,
    "conversation": pl.String,
    "temperature": pl.Float64,
    "top_p": pl.Float64,
    "n": pl.Int16,
    "max_tokens": pl.Int32,
    "logprobs": pl.Boolean,
    "top_logprobs": pl.Int16,
    "seeded": pl.Boolean,
    "stream": pl.Boolean,
    "response_format": pl.String,
    "tools": pl.Int16,
    "prompt_digest": pl.Int64,
    "template_digest": pl.Int64,
    "system_digest": pl.Int64,
    "sketch": pl.Int64,
    "markers": pl.Int64,
    "topic": pl.Int16,
    "language": pl.String,
    "prompt_chars": pl.Int32,
    "asked_chars": pl.Int32,
    "system_chars": pl.Int32,
    "system_place": pl.Int16,
    "turns": pl.Int16,
}
_OF_EVENT: Final = (
    "api_key", "model", "operation", "status", "input_tokens", "output_tokens", "cached_input_tokens",
    "reasoning_tokens", "latency_ms", "end_user", "conversation",
)  # fmt: skip
_OF_CLIENT: Final = ("ip", "asn", "country", "user_agent")
_OF_PARAMETERS: Final = (
    "temperature", "top_p", "n", "max_tokens", "logprobs", "top_logprobs", "stream", "response_format", "tools",
)  # fmt: skip
_OF_FINGERPRINT: Final = Fingerprint.__struct_fields__
_UNSAID: Final = {"n": 1, "logprobs": False, "top_logprobs": 0, "stream": False, "tools": 0}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def event_key(source: str, event_id: str) -> str:
    """The same for the same event of the same source, and practically never for two: 128 bits of BLAKE2b, in
    hexadecimal.
    """
    return hashlib.blake2b(f"{source}\n{event_id}".encode(), digest_size=16).hexdigest()


def table(
    events: Sequence[UsageEvent],
    seen: Sequence[Fingerprint | None],
    keys: Sequence[str],
    *,
    source: str,
    accounts: Mapping[str, int],
) -> pl.DataFrame:
    """The events as columns of `SCHEMA`, each event with its fingerprint and its key."""
    clients, asked = [event.client for event in events], [event.parameters for event in events]
    columns: dict[str, Sequence[Any]] = {
        "key": keys,
        "occurred_at": [(event.occurred_at - _EPOCH) // _MICROSECOND for event in events],
        "event_id": [event.id for event in events],
        "account_id": [accounts[event.account] for event in events],
        "seeded": [one.seed is not None for one in asked],
    }
    for rows, names in ((events, _OF_EVENT), (clients, _OF_CLIENT), (asked, _OF_PARAMETERS)):
        columns |= {name: [*map(attrgetter(name), rows)] for name in names}
    columns |= {name: [one and getattr(one, name) for one in seen] for name in _OF_FINGERPRINT}
    frame = pl.DataFrame([pl.Series(name, values, dtype=SCHEMA[name]) for name, values in columns.items()])
    return frame.with_columns(
        day=pl.col("occurred_at").dt.date(),
        source=pl.lit(source),
        ip=pl.when(pl.col("ip") != "").then(pl.col("ip")),
        user_agent=pl.col("user_agent").str.slice(0, USER_AGENT_KEPT),
        **{name: pl.col(name).fill_null(value) for name, value in _UNSAID.items()},
    ).select(*SCHEMA)


def to_copy(frame: pl.DataFrame) -> bytes:
    """The frame in the dialect of `COPY … (FORMAT csv)`: null is nothing, the empty text is quoted."""
    binary = [name for name, kind in frame.schema.items() if kind == pl.Binary]
    frame = frame.with_columns((pl.lit("\\x") + pl.col(name).bin.encode("hex")).alias(name) for name in binary)
    return frame.write_csv(include_header=False, datetime_format="%FT%T%.6fZ").encode()
