"""A usage event as it comes over the wire: JSON, one event a line. Pure.

The format is described in docs/usage-events.md. Unknown members are ignored; a line that does not fit is named
with its number and a reason, and refuses no other.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec

from governance.usage.fingerprint import Fingerprint

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Opaque = Annotated[str, msgspec.Meta(max_length=256)]
Label = Annotated[str, msgspec.Meta(max_length=64)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Small = Annotated[int, msgspec.Meta(ge=0, le=2**15 - 1)]
Dial = Annotated[float, msgspec.Meta(ge=-1000, le=1000)]

UNSAID_OPERATION: Final = "chat"


class Client(msgspec.Struct, frozen=True):
    """Where the request came from."""

    ip: str | None = None
    asn: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] | None = None
    country: Annotated[str, msgspec.Meta(max_length=2)] | None = None
    user_agent: str | None = None


class Parameters(msgspec.Struct, frozen=True):
    """How the model was asked to answer."""

    temperature: Dial | None = None
    top_p: Dial | None = None
    n: Small | None = None
    max_tokens: Count | None = None
    logprobs: bool | None = None
    top_logprobs: Small | None = None
    seed: int | None = None
    stream: bool | None = None
    response_format: Label | None = None
    tools: Small | None = None


class UsageEvent(msgspec.Struct, frozen=True):
    """One request to the model. Tokens are counts, latency is in milliseconds."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    occurred_at: datetime
    account: Id
    model: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    input_tokens: Count
    output_tokens: Count
    organisation: Id | None = None
    api_key: Id | None = None
    operation: Label = UNSAID_OPERATION
    cached_input_tokens: Count = 0
    reasoning_tokens: Count = 0
    latency_ms: Count | None = None
    status: Literal["ok", "error", "refused", "rate_limited"] = "ok"
    client: Client = Client()
    end_user: Opaque | None = None
    conversation: Opaque | None = None
    parameters: Parameters = Parameters()
    messages: list[Any] | None = None
    prompt: str | list[Any] | None = None
    fingerprint: Fingerprint | None = None


class Rejection(NamedTuple):
    """A line that was not taken, counted from 1, and why."""

    line: int
    reason: str


class Span(NamedTuple):
    """Which times an event may have, both ends included."""

    oldest: datetime
    newest: datetime


class UnreadableBatchError(ValueError):
    """The body as a whole is not what it says it is."""


class _Batch(msgspec.Struct):
    events: list[msgspec.Raw]


_event = msgspec.json.Decoder(UsageEvent)
_batch = msgspec.json.Decoder(_Batch)


def lines_of(body: bytes, *, ndjson: bool) -> list[bytes]:
    """The events of a body, still as JSON: its lines, or the members of `{"events": [...]}`.

    Raises UnreadableBatchError where the body is no such object.
    """
    if ndjson:
        return body.splitlines()
    try:
        return [bytes(raw) for raw in _batch.decode(body).events]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableBatchError(f"This is not an object with a list of events: {error}") from error


def decode(lines: Iterable[bytes], *, span: Span, first_line: int = 1) -> Iterator[UsageEvent | Rejection]:
    """Every line's event, or why it is none; empty lines are passed over."""
    for number, line in enumerate(lines, first_line):
        if line and not line.isspace():
            try:
                event = _event.decode(line)
                _refuse_unfit(event, span)
                if b"\\u0000" in line:
                    _refuse_nul(event)
            except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
                yield Rejection(number, _reason(error))
            else:
                yield event


def event_of(members: Mapping[str, Any], *, span: Span) -> UsageEvent:
    """The event with these members, for a source whose format is another; those that are None count as absent.

    Raises ValueError, which says what does not fit.
    """
    given = {name: value for name, value in members.items() if value is not None}
    try:
        event = msgspec.convert(given, UsageEvent)
    except RecursionError as error:
        raise ValueError(_reason(error)) from error
    _refuse_unfit(event, span)
    _refuse_nul(event)
    return event


def _refuse_unfit(event: UsageEvent, span: Span) -> None:
    """Raises ValueError for what types cannot say."""
    if event.occurred_at.tzinfo is None:
        raise ValueError("occurred_at has no time zone: write it as 2026-11-02T09:14:07.125Z")
    if event.occurred_at < span.oldest:
        raise ValueError(f"occurred_at is too long ago: the oldest taken here is {span.oldest:%Y-%m-%dT%H:%MZ}")
    if event.occurred_at > span.newest:
        raise ValueError("occurred_at is more than 10 minutes ahead: check the clock of the sender")
    if event.client.ip:
        _refuse_unless_address(event.client.ip)


@lru_cache(maxsize=65_536)
def _refuse_unless_address(text: str) -> None:
    try:
        zone = ipaddress.ip_address(text).version == 6 and "%" in text
    except ValueError:
        raise ValueError("client.ip is no IPv4 or IPv6 address") from None
    if zone:
        raise ValueError("client.ip names an interface, which means nothing elsewhere")


def _refuse_nul(event: UsageEvent) -> None:
    """PostgreSQL stores no NUL. In prompts it may stand, since they are not stored."""
    stored = (
        getattr(part, name) for part in (event, event.client, event.parameters) for name in part.__struct_fields__
    )
    if any(isinstance(value, str) and "\0" in value for value in stored if value is not event.prompt):
        raise ValueError("text must not hold the character NUL")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, UnicodeError):
        return "not valid UTF-8"
    return str(error)
