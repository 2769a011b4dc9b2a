"""The spans of a trace export in OTLP's JSON. Pure.

It is protobuf's, except that ids are hexadecimal; 64-bit integers are strings or numbers, and unknown members are
ignored.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from accounts.normalization import strip_byte_order_mark
from governance.usage.lenient_json import parse_integer, split_array, split_object
from governance.usage.sources.trace_spans import SpanEvent, TraceSpan, parse_number
from governance.usage.wire import Rejection, UnreadableBatchError
from governance.web.faults import TOO_DEEP, plain_fault

_FAILED: Final = Status.STATUS_CODE_ERROR

_Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class _Pair(msgspec.Struct):
    key: str = ""
    value: dict[str, Any] | None = None


class _Event(msgspec.Struct):
    name: str = ""
    attributes: list[_Pair] | None = None


class _Status(msgspec.Struct):
    code: int | None = None


class _Span(msgspec.Struct, rename="camel"):
    trace_id: str = ""
    span_id: str = ""
    kind: Any = None
    start_time_unix_nano: _Nanoseconds = 0
    end_time_unix_nano: _Nanoseconds = 0
    attributes: list[_Pair] | None = None
    events: list[_Event] | None = None
    status: _Status | None = None


class _Resource(msgspec.Struct):
    attributes: list[_Pair] | None = None


class _ScopeSpans(msgspec.Struct):
    spans: list[Any] | None = None


class _ResourceSpans(msgspec.Struct, rename="camel"):
    resource: _Resource | None = None
    scope_spans: list[_ScopeSpans] | None = None


class _Request(msgspec.Struct, rename="camel"):
    resource_spans: list[_ResourceSpans] | None = None


def decode_json_spans(body: bytes) -> Iterator[TraceSpan | Rejection]:
    """Every span of an ExportTraceServiceRequest in JSON, or why it is none. Raises UnreadableBatchError."""
    # Not by msgspec: of a prompt that was cut amid a character it would refuse the whole export.
    text = strip_byte_order_mark(body).decode(errors="replace")
    try:
        try:
            groups = _groups(json.loads(text, parse_int=parse_integer))
        except (ValueError, RecursionError):  # one span that cannot be read refuses no other
            groups = _groups(_in_parts(text))
    except (ValueError, RecursionError) as error:
        raise UnreadableBatchError("This is not an ExportTraceServiceRequest in JSON.") from error
    number = 0
    for group, resource in groups:
        for scope in group.scope_spans or ():
            for raw in scope.spans or ():
                number += 1
                try:
                    yield _read_json(raw, number, resource)
                except RecursionError:
                    yield Rejection(number, TOO_DEEP)
                except ValueError as error:
                    yield Rejection(number, f"not a span: {plain_fault(error, _Span)}")


def _groups(request: Any) -> list[tuple[_ResourceSpans, Mapping[str, Any]]]:
    groups = msgspec.convert(request, _Request).resource_spans
    return [(group, _attributes_of_json(group.resource)) for group in groups or ()]


def _in_parts(text: str) -> dict[str, Any]:
    """The request with its spans as they are written, each to be parsed on its own."""
    return {
        "resourceSpans": [
            {
                "resource": json.loads(group.get("resource", "null"), parse_int=parse_integer),
                "scopeSpans": [
                    {"spans": [*map(msgspec.Raw, _array_members(scope, "spans"))]}
                    for scope in map(split_object, _array_members(group, "scopeSpans"))
                ],
            }
            for group in map(split_object, _array_members(split_object(text), "resourceSpans"))
        ]
    }


def _array_members(owner: Mapping[str, str], name: str) -> list[str]:
    listed = owner.get(name, "null")
    return [] if listed == "null" else [*split_array(listed)]


def _read_json(raw: Any, number: int, resource: Mapping[str, Any]) -> TraceSpan:
    if isinstance(raw, msgspec.Raw):
        raw = json.loads(bytes(raw), parse_int=parse_integer)
    span = msgspec.convert(raw, _Span, strict=False)
    return TraceSpan(
        number=number,
        trace_id=_hex(span.trace_id),
        span_id=_hex(span.span_id),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        is_server=span.kind in {Span.SPAN_KIND_SERVER, "SPAN_KIND_SERVER"},
        failed=span.status is not None and span.status.code == _FAILED,
        own_attributes=_attributes_of_json(span),
        resource=resource,
        events=[SpanEvent(event.name, _attributes_of_json(event)) for event in span.events or ()],
    )


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError("traceId and spanId are hexadecimal") from None


def _attributes_of_json(owner: _Span | _Event | _Resource | None) -> dict[str, Any]:
    return {pair.key: _value_of_json(pair.value) for pair in (owner and owner.attributes) or ()}


def _value_of_json(value: Any) -> Any:
    match value:
        case {"stringValue": str(text)}:
            return text if text.isascii() else text.encode("utf-8", "replace").decode()
        case {"boolValue": bool(true)}:
            return true
        case {"intValue": str() | float() | int() as number} | {"doubleValue": str() | float() | int() as number}:
            return parse_number(number)
        case {"arrayValue": {"values": [*values]}}:
            return [_value_of_json(one) for one in values]
        case {"kvlistValue": {"values": [*pairs]}}:
            return _attributes_of_json(_Resource(msgspec.convert(pairs, list[_Pair])))
    return None
