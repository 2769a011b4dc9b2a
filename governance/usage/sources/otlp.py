"""OTLP over HTTP: the spans of a trace export, as protobuf or as JSON, and the answers to one. Pure.

After https://opentelemetry.io/docs/specs/otlp/. What is particular to its JSON is in `otlp_json`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

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

from governance.usage.sources.otlp_json import decode_json_spans
from governance.usage.sources.trace_spans import SpanEvent, TraceSpan, parse_number
from governance.usage.wire import Rejection, UnreadableBatchError

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"

# Of whatever kind. They cost time even where none is a request.
MOST_SPANS: Final = 100_000
REASONS_NAMED: Final = 5
REASON_CHARS: Final = 200


def decode_spans(body: bytes, *, protobuf: bool) -> Iterator[TraceSpan | Rejection]:
    """Every span of an ExportTraceServiceRequest, or why it is none.

    Raises UnreadableBatchError where the body is no such request.
    """
    for number, span in enumerate(_spans_of_protobuf(body) if protobuf else decode_json_spans(body)):
        if number == MOST_SPANS:
            raise UnreadableBatchError(f"This export has more than {MOST_SPANS} spans.")
        yield span


def encode_success(rejected: Sequence[Rejection], *, protobuf: bool) -> bytes:
    """An ExportTraceServiceResponse, which says how many spans were rejected and why."""
    message = _describe_rejections(rejected)
    if protobuf:
        partial = ExportTracePartialSuccess(rejected_spans=len(rejected), error_message=message)
        return bytes(ExportTraceServiceResponse(partial_success=partial if rejected else None).SerializeToString())
    partial_success = {"rejectedSpans": str(len(rejected)), "errorMessage": message}
    return msgspec.json.encode({"partialSuccess": partial_success} if rejected else {})


def encode_error(message: str, *, protobuf: bool) -> bytes:
    """A google.rpc.Status, which says why an export was refused as a whole."""
    # The status of a span carries its message under the same number, and thus is the same on the wire.
    return bytes(Status(message=message).SerializeToString()) if protobuf else msgspec.json.encode({"message": message})


def _describe_rejections(rejected: Sequence[Rejection]) -> str:
    """The commonest reasons, each with how often it was met and where first."""
    first: dict[str, int] = {}
    for number, reason in rejected:
        first.setdefault(reason, number)
    counts = Counter(reason for _, reason in rejected).most_common()
    reasons = [
        f"{count} × {reason[:REASON_CHARS]} (first: span {first[reason]})" for reason, count in counts[:REASONS_NAMED]
    ]
    return "; ".join([*reasons, "and others"] if len(counts) > REASONS_NAMED else reasons)


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
        is_server=span.kind == Span.SPAN_KIND_SERVER,
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        own_attributes=_attributes(span.attributes),
        resource=resource,
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
            return parse_number(value.double_value)
        case kind:
            return getattr(value, kind)
