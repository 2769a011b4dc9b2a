"""Plain functions that make spans as an export by OTLP carries them, send them, and read the answer."""

import base64
import itertools
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped] # it carries no types
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped] # it carries no types
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.factories import NOW, service_key

PROTOBUF, JSON = "application/x-protobuf", "application/json"
TRACE_ID = "5b8efff798038103d269b633813fc60c"

_numbers = itertools.count(1)


def span(value_given: Mapping[str, Any] | None = None, /, *, at: datetime = NOW, **members: Any) -> dict[str, Any]:
    """A request to a model. What is None among the attributes is left out."""
    request = {
        "stillwatch.account": "acct_harbour",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "flagship-2",
        "gen_ai.usage.input_tokens": 812,
        "gen_ai.usage.output_tokens": 1403,
    }
    return {
        "traceId": TRACE_ID,
        "spanId": f"{next(_numbers):016x}",
        "name": "chat flagship-2",
        "startTimeUnixNano": nanoseconds(at),
        "endTimeUnixNano": nanoseconds(at + timedelta(milliseconds=9120)),
        "attributes": pairs({**request, **(value_given or {})}),
        **members,
    }


def another_span(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """A span of which nothing is known but its attributes."""
    return span() | {"attributes": pairs(attributes)}


def event(name: str, **attributes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "attributes": pairs({key.replace("__", "."): value_given for key, value_given in attributes.items()}),
    }


def export(*spans: Any, resource: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"resourceSpans": [{"resource": {"attributes": pairs(resource or {})}, "scopeSpans": [{"spans": [*spans]}]}]}


def encoded(whole: Mapping[str, Any], encoding: str) -> bytes:
    """The export as JSON or protobuf."""
    if encoding == JSON:
        return json.dumps(whole).encode()
    base64_ids = json.loads(json.dumps(whole), object_hook=_with_base64_ids)
    return bytes(ParseDict(base64_ids, ExportTraceServiceRequest()).SerializeToString())


def pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": value(value_given)} for key, value_given in attributes.items() if value_given is not None
    ]


def value(value_given: Any) -> dict[str, Any]:
    match value_given:
        case bool():
            return {"boolValue": value_given}
        case int():
            return {"intValue": str(value_given)}
        case float():
            return {"doubleValue": value_given}
        case [*entries]:
            return {"arrayValue": {"values": [value(entry) for entry in entries]}}
        case {}:
            return {"kvlistValue": {"values": pairs(value_given)}}
    return {"stringValue": value_given}


def nanoseconds(at: datetime) -> str:
    return f"{round(at.timestamp() * 1000)}000000"


def _with_base64_ids(members: dict[str, Any]) -> dict[str, Any]:
    ids = {name: members[name] for name in ("traceId", "spanId") if name in members}
    return members | {name: base64.b64encode(bytes.fromhex(value_given)).decode() for name, value_given in ids.items()}


def send(client: Client, body: bytes, encoding: str = JSON, *, scope: str = "usage:write", **headers: Any) -> Any:
    _, known = service_key(scope)
    # The test client names the type of no empty body by itself.
    value_given = {"CONTENT_TYPE": encoding, **known, **headers}
    return client.post("/v1/traces", body, content_type=encoding, **value_given)


def rejected(response: Any) -> tuple[int, str]:
    """What an exporter reads of an answer: how many spans were rejected and why."""
    if response["Content-Type"] == JSON:
        partial = response.json().get("partialSuccess", {})
        return int(partial.get("rejectedSpans", 0)), partial.get("errorMessage", "")
    value_given = ExportTraceServiceResponse.FromString(response.content).partial_success
    return value_given.rejected_spans, value_given.error_message


def message(response: Any) -> str:
    """What an exporter reads of a refusal."""
    value_given = response.json() if response["Content-Type"] == JSON else Status.FromString(response.content)
    return str(value_given["message"] if isinstance(value_given, dict) else value_given.message)
