"""A usage event as it comes over the wire: JSON, one event a line. Pure.

The format is described in docs/usage-events.md. Unknown members are ignored; a line that does not fit is named
with its number and a reason, and refuses no other.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec

from accounts.normalization import (
    UTF_16,
    drop_empty_members,
    is_nothing,
    normalize_address,
    normalize_id,
    normalize_model,
    strip_byte_order_mark,
)
from governance.usage.answers import AnswerFingerprint, ReasoningDigests
from governance.usage.fingerprint import Fingerprint
from governance.usage.lenient_json import replace_lone_surrogates, split_array, split_object
from governance.web.faults import describe_expected, plain_fault

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Opaque = Annotated[str, msgspec.Meta(max_length=256)]
Label = Annotated[str, msgspec.Meta(max_length=64)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Small = Annotated[int, msgspec.Meta(ge=0, le=2**15 - 1)]
Dial = Annotated[float, msgspec.Meta(ge=-1000, le=1000)]

DEFAULT_OPERATION: Final = "chat"


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
    """One request to the model. Tokens are counts, None where nobody counted them; latency is in milliseconds."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    occurred_at: datetime
    account: Id
    model: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    input_tokens: Count | None
    output_tokens: Count | None
    organisation: Id | None = None
    api_key: Id | None = None
    operation: Label = DEFAULT_OPERATION
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
    output: str | list[Any] | None = None
    output_fingerprint: AnswerFingerprint | None = None
    reasoning_digests: ReasoningDigests = ()


def has_token_counts(event: UsageEvent) -> bool:
    """Whether its tokens were counted."""
    return event.input_tokens is not None and event.output_tokens is not None


def with_later_token_counts(event: UsageEvent, again: UsageEvent) -> UsageEvent:
    """The event as it was reported first, with the figures of a later report where it came without."""
    if event.input_tokens is not None or event.output_tokens is not None or not has_token_counts(again):
        return event
    names = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens")
    return msgspec.structs.replace(event, **{name: getattr(again, name) for name in names})


class Report(NamedTuple):
    """What a source reports of an event, where an id alone does not say which event it is.

    Args:
        identity: what is the same in every report of this event, and differs from any other's of the source.
        answer: the id, among those of the account, of an answer that may be reported several times: see `answers`.
        is_event: whether it is an event, and not a reading of an answer that brings the figures of one.
        in_background: whether it says itself that the answer is made in the background.
        varies: whether another report of this event may bear another time or model.
    """

    event: UsageEvent
    identity: str
    answer: str | None = None
    is_event: bool = True
    in_background: bool = False
    varies: bool = False


class Rejection(NamedTuple):
    """A line that was not taken, counted from 1, and why."""

    line: int
    reason: str


class TimeRange(NamedTuple):
    """Which times an event may have, both ends included."""

    oldest: datetime
    newest: datetime


class UnreadableBatchError(ValueError):
    """The body as a whole is not what it says it is."""


class _Batch(msgspec.Struct):
    events: list[msgspec.Raw]


_event = msgspec.json.Decoder(UsageEvent)
_batch = msgspec.json.Decoder(_Batch)

_FIELDS: Final = {field.name: field for field in msgspec.structs.fields(UsageEvent)}
_REQUIRED: Final = frozenset(name for name, field in _FIELDS.items() if field.required)
_NESTED: Final = ("client", "parameters")
_NOT_STORED: Final = ("prompt", "output")
_MAY_BE_UNKNOWN: Final = ("input_tokens", "output_tokens")
_IDS: Final = ("id", "account", "organisation", "api_key", "end_user", "conversation")


def split_batch(body: bytes, *, ndjson: bool) -> list[bytes]:
    """The events of a body, still as JSON: its lines, or the members of `{"events": [...]}`.

    Raises UnreadableBatchError where the body is no such object.
    """
    body = strip_byte_order_mark(body)
    if ndjson:
        return body.removesuffix(b"\n").split(b"\n")
    try:
        return [bytes(raw) for raw in _batch.decode(body).events]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        try:  # one event that cannot be read refuses no other
            events = split_object(body.decode(errors="surrogateescape"))["events"]
            return [event.encode(errors="surrogateescape") for event in split_array(events)]
        except (ValueError, KeyError, RecursionError):
            raise UnreadableBatchError(
                f"This is not an object with a list of events: {plain_fault(error, _Batch)}. Send single events as "
                "lines, with Content-Type: application/x-ndjson."
            ) from error


def decode_events(lines: Iterable[bytes], *, span: TimeRange, first_line: int = 1) -> Iterator[UsageEvent | Rejection]:
    """Every line's event, or why it is none; empty lines are passed over."""
    for number, line in enumerate(lines, first_line):
        text = strip_byte_order_mark(line)
        if text and not text.isspace():
            try:
                event = _normalize(_decode_leniently(text))
                _refuse_unfit(event, span)
                if b"\\u0000" in text:
                    _refuse_nul(event)
            except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
                yield Rejection(
                    number, "this is UTF-16: send UTF-8" if line.startswith(UTF_16) else plain_fault(error, UsageEvent)
                )
            else:
                yield event


def build_event(members: Mapping[str, Any], *, span: TimeRange) -> UsageEvent:
    """The event with these members, for a source whose format is another; those that are None count as absent.

    Raises ValueError, which says what does not fit.
    """
    given = {name: value for name, value in members.items() if value is not None or name in _MAY_BE_UNKNOWN}
    try:
        event = _normalize(msgspec.convert(drop_empty_members(given, required=_REQUIRED), UsageEvent))
    except (RecursionError, msgspec.ValidationError) as error:
        raise ValueError(plain_fault(error, UsageEvent)) from error
    _refuse_unfit(event, span)
    _refuse_nul(event)
    return event


def _decode_leniently(line: bytes) -> UsageEvent:
    """The event of a line; slower where it says 812.0 for 812, "" or null for what is absent, or cuts a character."""
    try:
        return _event.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        members = msgspec.json.decode(replace_lone_surrogates(line))
        if not isinstance(members, dict):
            raise
        return msgspec.convert(drop_empty_members(members, required=_REQUIRED, nested=_NESTED), UsageEvent)


def _normalize(event: UsageEvent) -> UsageEvent:
    """The event with every value in its one spelling: see `accounts.normalization`. Raises ValueError."""
    changed: dict[str, Any] = {} if _has_plain_names(event) else _changed_names(event)
    if event.client.ip:
        try:
            address = normalize_address(event.client.ip)
        except ValueError as error:
            raise ValueError(f"client.ip {error}") from None
        if address != event.client.ip:
            changed["client"] = msgspec.structs.replace(event.client, ip=address)
    return msgspec.structs.replace(event, **changed) if changed else event


def _has_plain_names(event: UsageEvent) -> bool:
    """Return True if none of its names needs to be changed, as is usual. Checking all at once is faster."""
    ids = [name for id_name in _IDS if (name := getattr(event, id_name))]
    names = f"{event.model}{''.join(ids)}"
    plain = names.isascii() and names.isprintable() and " " not in names and event.model == event.model.lower()
    return plain and not any(map(is_nothing, ids))


def _normalize_id(text: str) -> str:
    return "" if is_nothing(text) else normalize_id(text)


def _changed_names(event: UsageEvent) -> dict[str, Any]:
    """The names that are spelled otherwise. Raises ValueError where one has become too long by that, or empty."""
    changed = {}
    for name in (*_IDS, "model"):
        given, spelling = getattr(event, name), normalize_model if name == "model" else _normalize_id
        if given and (spelled := spelling(given)) != given:
            try:
                changed[name] = msgspec.convert(spelled or (spelled if name in _REQUIRED else None), _FIELDS[name].type)
            except msgspec.ValidationError:
                raise ValueError(describe_expected(name, UsageEvent)) from None
    return changed


def _refuse_unfit(event: UsageEvent, span: TimeRange) -> None:
    """Raises ValueError for what types cannot say."""
    if event.occurred_at.tzinfo is None:
        raise ValueError("occurred_at has no time zone: write it as 2026-11-02T09:14:07.125Z")
    if event.occurred_at < span.oldest:
        raise ValueError(f"occurred_at is too long ago: the oldest taken here is {span.oldest:%Y-%m-%dT%H:%MZ}")
    if event.occurred_at > span.newest:
        raise ValueError("occurred_at is more than 10 minutes ahead: check the clock of the sender")


def _refuse_nul(event: UsageEvent) -> None:
    """PostgreSQL stores no NUL. In prompts and answers it may stand, since they are not stored."""
    for prefix, part in (("", event), ("client.", event.client), ("parameters.", event.parameters)):
        for name in part.__struct_fields__:
            value = getattr(part, name)
            if isinstance(value, str) and "\0" in value and name not in _NOT_STORED:
                raise ValueError(f"{prefix}{name} must not hold the character NUL")
