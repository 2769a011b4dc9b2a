"""OpenTelemetry: spans of GenAI requests, mapped onto the wire format. Pure.

`genai_attributes` lists which attributes each member is read from. Attributes of the resource count where the span has
none.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from accounts.normalization import normalize_address
from governance.usage.sources.coercion import coerce_count, coerce_members, coerce_text
from governance.usage.sources.finish_reasons import is_refusal
from governance.usage.sources.genai_attributes import (
    CLIENT,
    CONTEXT,
    COUNTS,
    MEMBERS,
    OWN,
    PARAMETERS,
    members_of,
    read_members,
)
from governance.usage.sources.genai_messages import read_messages, read_output
from governance.usage.sources.genai_requests import is_request, operation_of
from governance.usage.sources.otlp import decode_spans
from governance.usage.sources.paths import storable_model
from governance.usage.sources.trace_spans import TraceSpan
from governance.usage.wire import Client, Parameters, Rejection, TimeRange, UsageEvent, build_event
from governance.web.faults import TOO_DEEP

# How clients and providers say it, the last part of a class's name where it is one.
RATE_LIMITED: Final = {"429", "RateLimitError", "rate_limit_exceeded", "ResourceExhausted", "ThrottlingException"}

REQUIRED: Final = ("account", "model", "input_tokens", "output_tokens")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def events_from_export(body: bytes, *, protobuf: bool, span: TimeRange) -> Iterator[UsageEvent | Rejection]:
    """The event of every span that is a request to a model, or why it is none; other spans are passed over.

    Raises UnreadableBatchError where the body is no ExportTraceServiceRequest.
    """
    for traced in decode_spans(body, protobuf=protobuf):
        if isinstance(traced, Rejection):
            yield traced
            continue
        members = read_members(traced.attributes)
        if is_request(members, traced):
            try:
                yield build_event(_event(traced, members), span=span)
            except RecursionError:
                yield Rejection(traced.number, TOO_DEEP)
            except ValueError as error:
                yield Rejection(traced.number, str(error))


def _event(traced: TraceSpan, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The span as members of the wire format. Raises ValueError where one that is required is missing."""
    if not (len(traced.trace_id) == 16 and len(traced.span_id) == 8 and any(traced.trace_id) and any(traced.span_id)):
        raise ValueError("no trace id and span id")
    status, operation = _status(attributes, failed=traced.failed), operation_of(attributes)
    asked = coerce_members(members_of(PARAMETERS, attributes), Parameters)
    members = _missing_counts(status, operation, stream=asked.get("stream")) | _members_with_counts(attributes)
    for member in REQUIRED:
        if member not in members:
            raise ValueError(f"no {member}: set the attribute {next(iter(MEMBERS[member]), OWN + member)}")
    latency = {"latency_ms": (traced.end - traced.start) // 1_000_000}
    return {
        **members,
        **coerce_members(members_of(CONTEXT, attributes) | latency, UsageEvent),
        "id": f"{traced.trace_id.hex()}-{traced.span_id.hex()}",
        "occurred_at": _EPOCH + timedelta(microseconds=traced.start // 1000),
        "operation": operation,
        "status": status,
        "client": _client(attributes),
        "parameters": asked,
        "messages": read_messages(traced),
        "output": read_output(traced),
    }


def _members_with_counts(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The members with their counts. One that cannot be read is left out where it need not be given."""
    members = members_of(MEMBERS, attributes)
    if name := storable_model(members.pop("model", None)):
        members["model"] = name
    for name in COUNTS:
        if name in members and ((number := coerce_count(members[name])) is not None or name not in REQUIRED):
            members[name] = number
    return members


def _missing_counts(status: str, operation: str | None, *, stream: bool | None) -> dict[str, int | None]:
    """The counts that may be missing, and what they then are: nought, or unknown.

    Streams are counted only where the customer asks for it (`stream_options`) and reads to the end, and nobody may
    choose not to count. Some instrumentations do not say what was streamed.
    """
    if status != "ok":
        return {"input_tokens": 0, "output_tokens": 0}
    if stream is not False:
        return {"input_tokens": None, "output_tokens": 0 if operation == "embeddings" else None}
    return {"output_tokens": 0} if operation == "embeddings" else {}


def _status(attributes: Mapping[str, Any], *, failed: bool) -> Any:
    """How the request ended, as far as the span tells."""
    http_status, error, reasons = (
        coerce_text(attributes.get("http_status"), int),
        attributes.get("error"),
        attributes.get("finish_reasons"),
    )
    if "status" in attributes:
        return attributes["status"]
    if http_status == HTTPStatus.TOO_MANY_REQUESTS or str(error).rpartition(".")[2] in RATE_LIMITED:
        return "rate_limited"
    if is_refusal(reasons):
        return "refused"
    if failed or error or (isinstance(http_status, int) and http_status >= HTTPStatus.BAD_REQUEST):
        return "error"
    return "ok"


def _client(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Where the request came from. The conventions allow names of hosts and paths of sockets as address too."""
    client = coerce_members(members_of(CLIENT, attributes), Client)
    return {name: value for name, value in client.items() if name != "ip" or _is_address(value)}


def _is_address(text: str) -> bool:
    try:
        return bool(normalize_address(text))
    except ValueError:
        return False
