"""OTLP over HTTP: the spans of a trace export, as protobuf or as JSON, and the answers to one. Pure.

After https://opentelemetry.io/docs/specs/otlp/. The JSON is protobuf's, except that ids are hexadecimal; 64-bit
integers are strings or numbers, and unknown members are ignored.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from google.protobuf.descriptor_pb2 import (  # type: ignore[import-untyped] # protobuf carries no types
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from google.protobuf.message_factory import GetMessages  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from accounts.normalization import without_mark
from governance.usage.wire import Rejection, UnreadableBatchError

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"

# Of whatever kind. They cost time even where none is a request.
MOST_SPANS: Final = 100_000
REASONS_NAMED: Final = 5
REASON_CHARS: Final = 200

_FAILED: Final = Status.STATUS_CODE_ERROR


class SpanEvent(NamedTuple):
    """Something that happened during a span."""

    name: str
    attributes: Mapping[str, Any]


class TraceSpan(NamedTuple):
    """A span as either encoding says it: times in nanoseconds since 1970, attributes over those of its resource.

    `number` counts the spans of an export from 1.
    """

    number: int
    trace_id: bytes
    span_id: bytes
    start: int
    end: int
    failed: bool
    attributes: Mapping[str, Any]
    events: Sequence[SpanEvent]


def spans_in(body: bytes, *, protobuf: bool) -> Iterator[TraceSpan | Rejection]:
    """Every span of an ExportTraceServiceRequest, or why it is none.

    Raises UnreadableBatchError where the body is no such request.
    """
    for number, span in enumerate(_spans_of_protobuf(body) if protobuf else _spans_of_json(body)):
        if number == MOST_SPANS:
            raise UnreadableBatchError(f"This export has more than {MOST_SPANS} spans.")
        yield span


def answer(rejected: Sequence[Rejection], *, protobuf: bool) -> bytes:
    """An ExportTraceServiceResponse, which says how many spans were rejected and why."""
    message = _told(rejected)
    if protobuf:
        partial = ExportTracePartialSuccess(rejected_spans=len(rejected), error_message=message)
        return bytes(ExportTraceServiceResponse(partial_success=partial if rejected else None).SerializeToString())
    partial_success = {"rejectedSpans": str(len(rejected)), "errorMessage": message}
    return msgspec.json.encode({"partialSuccess": partial_success} if rejected else {})


def refusal(message: str, *, protobuf: bool) -> bytes:
    """A google.rpc.Status, which says why an export was refused as a whole."""
    # The status of a span carries its message under the same number, and thus is the same on the wire.
    return bytes(Status(message=message).SerializeToString()) if protobuf else msgspec.json.encode({"message": message})


def _told(rejected: Sequence[Rejection]) -> str:
    """The commonest reasons, each with how often it was met and where first."""
    first: dict[str, int] = {}
    for number, reason in rejected:
        first.setdefault(reason, number)
    counts = Counter(reason for _, reason in rejected).most_common()
    told = [
        f"{count} × {reason[:REASON_CHARS]} (first: span {first[reason]})" for reason, count in counts[:REASONS_NAMED]
    ]
    return "; ".join([*told, "and others"] if len(counts) > REASONS_NAMED else told)


# As protobuf ---------------------------------------------------------------------------------------------------


def _envelope() -> Any:
    """A message for all that is above a span, as its first two fields still encoded.

    A span that cannot be read, since a text was cut amid a character or it nests too deeply, so refuses no other.
    """
    fields = [
        FieldDescriptorProto(name=name, number=number, label="LABEL_REPEATED", type="TYPE_BYTES")
        for number, name in enumerate(("first", "second"), 1)
    ]
    message = DescriptorProto(name="Envelope", field=fields)
    file = FileDescriptorProto(name="envelope.proto", syntax="proto3", message_type=[message])
    return GetMessages([file])["Envelope"]


_Envelope: Final = _envelope()


def _spans_of_protobuf(body: bytes) -> Iterator[TraceSpan | Rejection]:
    for number, (span, resource) in enumerate(_encoded_spans(body), 1):
        try:
            yield _read(Span.FromString(span), number, resource)
        except DecodeError:
            yield Rejection(number, "not a span: it is damaged, holds text that is not UTF-8, or nests too deeply")


def _encoded_spans(body: bytes) -> Iterator[tuple[bytes, Mapping[str, Any]]]:
    """Each span, still encoded, with the attributes of its resource."""
    groups = 0
    try:
        for encoded in _Envelope.FromString(body).first:
            group = _Envelope.FromString(encoded)
            groups += 1 + len(group.second)
            if groups > MOST_SPANS:
                raise UnreadableBatchError(f"This export has more than {MOST_SPANS} resources and scopes.")
            resource = _attributes(Resource.FromString(b"".join(group.first)).attributes)
            for scope in group.second:
                for span in _Envelope.FromString(scope).second:
                    yield span, resource
    except DecodeError as error:
        raise UnreadableBatchError("This is not an ExportTraceServiceRequest in protobuf.") from error


def _read(span: Span, number: int, resource: Mapping[str, Any]) -> TraceSpan:
    return TraceSpan(
        number=number,
        trace_id=span.trace_id,
        span_id=span.span_id,
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        failed=span.status.code == _FAILED,
        attributes={**resource, **_attributes(span.attributes)},
        events=[SpanEvent(event.name, _attributes(event.attributes)) for event in span.events],
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case "array_value":
            return [_value(one) for one in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case None | "bytes_value":
            return None
        case "double_value":
            return _number(value.double_value)
        case kind:
            return getattr(value, kind)


def _number(value: str | float) -> float | int:
    """The number, whole where it can be: some languages know one kind of number only, and JSON has text for large ones.

    Raises ValueError, which does not repeat what stands there: it might be a customer's words.
    """
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise ValueError("what an attribute gives as a number is none") from None
    return int(number) if number.is_integer() else number


# As JSON -------------------------------------------------------------------------------------------------------


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


def _spans_of_json(body: bytes) -> Iterator[TraceSpan | Rejection]:
    try:
        # Not by msgspec: of a prompt that was cut amid a character it would refuse the whole export.
        request = msgspec.convert(json.loads(without_mark(body)), _Request)
        groups = [(group, _attributes_of_json(group.resource)) for group in request.resource_spans or ()]
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
                    yield Rejection(number, "nested too deeply")
                except ValueError as error:
                    yield Rejection(number, f"not a span: {error}")


def _read_json(raw: Any, number: int, resource: Mapping[str, Any]) -> TraceSpan:
    span = msgspec.convert(raw, _Span, strict=False)
    return TraceSpan(
        number=number,
        trace_id=_hex(span.trace_id),
        span_id=_hex(span.span_id),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        failed=span.status is not None and span.status.code == _FAILED,
        attributes={**resource, **_attributes_of_json(span)},
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
            return _number(number)
        case {"arrayValue": {"values": [*values]}}:
            return [_value_of_json(one) for one in values]
        case {"kvlistValue": {"values": [*pairs]}}:
            return _attributes_of_json(_Resource(msgspec.convert(pairs, list[_Pair])))
    return None
