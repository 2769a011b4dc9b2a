"""From usage events to columns, and to what COPY reads. Pure.

Columns are plain lists: what a batch costs is making objects, and a list of what is there already makes none.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import compress
from operator import attrgetter
from typing import Any, Final, NamedTuple

import polars as pl

from governance.usage.answers import AnswerFingerprint
from governance.usage.fingerprint import Fingerprint
from governance.usage.wire import DEFAULT_OPERATION, UsageEvent

EventColumns = dict[str, list[Any]]

USER_AGENT_KEPT: Final = 256

_OF_EVENT: Final = (
    "api_key", "model", "operation", "status", "input_tokens", "output_tokens", "cached_input_tokens",
    "reasoning_tokens", "latency_ms", "end_user", "conversation",
)  # fmt: skip
_OF_CLIENT: Final = ("ip", "asn", "country", "user_agent")
_OF_PARAMETERS: Final = (
    "temperature", "top_p", "n", "max_tokens", "logprobs", "top_logprobs", "stream", "response_format", "tools",
)  # fmt: skip
_OF_ANSWER: Final = {"runs": "answer_runs", "chars": "answer_chars", "items": "answer_items", "reasoning": "reasoning"}
_OF_FINGERPRINT: Final = Fingerprint.__struct_fields__
_UNSAID: Final = {"n": 1, "logprobs": False, "top_logprobs": 0, "stream": False, "tools": 0}
# Said with nothing, these say nothing.
_EMPTY_IS_NULL: Final = ("ip", "country", "user_agent", "end_user", "conversation", "response_format", "language")

# The columns of usage_usageevent.
_TEXTS: Final = (
    "key", "day", "occurred_at", "source", "event_id", "api_key", "model", "operation", "status", "ip", "country",
    "user_agent", "end_user", "conversation", "response_format", "language",
)  # fmt: skip
_FLAGS: Final = ("logprobs", "seeded", "stream")
_FLOATS: Final = ("temperature", "top_p")
_INTEGERS: Final = (
    "account_id", "input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens", "latency_ms", "asn", "n",
    "max_tokens", "top_logprobs", "tools", "prompt_digest", "template_digest", "system_digest", "sketch", "markers",
    "topic", "prompt_chars", "asked_chars", "system_chars", "system_place", "turns",
)  # fmt: skip
EVENT_SCHEMA: Final[dict[str, Any]] = {
    **dict.fromkeys(_TEXTS, pl.String),
    **dict.fromkeys(_FLAGS, pl.Boolean),
    **dict.fromkeys(_FLOATS, pl.Float64),
    **dict.fromkeys(_INTEGERS, pl.Int64),
}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class EventFingerprints(NamedTuple):
    """What is kept of the text of an event; None where it carries none."""

    prompt: Fingerprint | None
    answer: AnswerFingerprint | None = None


def event_key(source: str, account: str, event_id: str) -> str:
    """The same for the same event of an account and a source, and practically never for two: 128 bits of BLAKE2b, in
    hexadecimal.

    The source is the kind of sender and not its service key, since several senders may tell of the same event. The
    length of the account's id keeps apart what a line break in an id would make look the same.
    """
    named = f"{source}\n{len(account)}\n{account}\n{event_id}"
    return hashlib.blake2b(named.encode(), digest_size=16).hexdigest()


def build_columns(
    events: Sequence[UsageEvent],
    seen: Sequence[EventFingerprints],
    keys: Sequence[str],
    *,
    source: str,
    account_pks: Mapping[str, int],
) -> EventColumns:
    """The events as columns of `EVENT_SCHEMA`, each with its fingerprints and its key; null is None.

    Beside them `at` holds the time in microseconds since 1970; other columns that are not in the schema go into
    profiles alone.
    """
    clients, asked = [event.client for event in events], [event.parameters for event in events]
    prompts, answers = [one.prompt for one in seen], [one.answer for one in seen]
    times = [event.occurred_at.astimezone(UTC) for event in events]
    columns: EventColumns = {
        "at": [(at - _EPOCH) // _MICROSECOND for at in times],
        "key": [*keys],
        "day": [at.date().isoformat() for at in times],
        "occurred_at": [at.isoformat() for at in times],
        "source": [source] * len(events),
        "event_id": [event.id for event in events],
        "account_id": [account_pks[event.account] for event in events],
        "seeded": [one.seed is not None for one in asked],
    }
    for rows, names in ((events, _OF_EVENT), (clients, _OF_CLIENT), (asked, _OF_PARAMETERS)):
        columns |= {name: [*map(attrgetter(name), rows)] for name in names}
    columns |= {name: [one and getattr(one, name) for one in prompts] for name in _OF_FINGERPRINT}
    columns |= {column: [one and getattr(one, name) for one in answers] for name, column in _OF_ANSWER.items()}
    columns |= {name: [value or None for value in columns[name]] for name in _EMPTY_IS_NULL}
    columns |= {name: [unsaid if v is None else v for v in columns[name]] for name, unsaid in _UNSAID.items()}
    columns["user_agent"] = [value and value[:USER_AGENT_KEPT] for value in columns["user_agent"]]
    columns["operation"] = [value or DEFAULT_OPERATION for value in columns["operation"]]
    return columns


def drop_events(columns: EventColumns, keys: Iterable[str]) -> EventColumns:
    """The columns less the events with these keys."""
    gone = set(keys)
    kept = [key not in gone for key in columns["key"]]
    return {name: [*compress(values, kept)] for name, values in columns.items()}


def events_csv(columns: EventColumns) -> bytes:
    """The columns of `EVENT_SCHEMA` in the dialect of `COPY … (FORMAT csv)`, in which nothing is null."""
    rows = pl.DataFrame([pl.Series(name, columns[name], dtype=kind) for name, kind in EVENT_SCHEMA.items()])
    return rows.write_csv(include_header=False).encode()
