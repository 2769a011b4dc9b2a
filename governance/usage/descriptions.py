"""What the OpenAPI document says of the ways in for usage."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

TAG: Final = ["Usage"]
EVENT: Final = {
    "id": "req_8f3a",
    "occurred_at": "2026-11-02T09:14:07.125Z",
    "account": "acct_1042",
    "api_key": "key_5521",
    "model": "flagship-2",
    "input_tokens": 812,
    "output_tokens": 1403,
}
SUMMARY: Final = {
    "accepted": 498,
    "duplicate": 1,
    "rejected": 1,
    "rejections": [{"line": 17, "reason": "model is missing"}],
}
_COUNT: Final = {"type": "integer", "minimum": 0}
BATCH_SUMMARY: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["accepted", "duplicate", "rejected", "rejections"],
    "properties": {
        "accepted": _COUNT,
        "duplicate": _COUNT,
        "rejected": _COUNT,
        "rejections": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["line", "reason"],
                "properties": {"line": {"type": "integer", "minimum": 1}, "reason": {"type": "string"}},
            },
        },
        "conflicts": {**_COUNT, "description": "Duplicates with other figures than the event that counts."},
        "held": {**_COUNT, "description": "Events that wait, since they bring in too many new names."},
    },
}
_BATCH: Final = {
    "type": "object",
    "required": ["events"],
    "properties": {
        "events": {"type": "array", "maxItems": 10_000, "items": {"$ref": "#/components/schemas/UsageEvent"}}
    },
}
_TAKEN: Final = OpenApiResponse(BATCH_SUMMARY, "The good events are committed.")
_SUMMARY: Final = OpenApiExample("Taken", SUMMARY, response_only=True, status_codes=["202"])

describe_events = extend_schema(
    operation_id="send_usage_events",
    summary="Send usage events",
    description=(
        "Up to 10,000 events: a JSON object a line, or one with `events`; plain, gzip or zstd. A bad event refuses no "
        "other. The same event twice is one event, so whatever was not answered with 202 may be sent again. "
        "docs/usage-events.md explains the members."
    ),
    tags=TAG,
    request={"application/json": _BATCH, "application/x-ndjson": {"type": "string"}},
    responses={202: _TAKEN},
    examples=[
        OpenApiExample("One event", {"events": [EVENT]}, request_only=True),
        _SUMMARY,
    ],
)
describe_litellm = extend_schema(
    operation_id="send_litellm_usage",
    summary="Send what LiteLLM logs",
    description=(
        "What LiteLLM's callback `generic_api` sends, in any of its formats. 503 in place of 429, after which LiteLLM "
        "would drop the batch."
    ),
    tags=TAG,
    request={"application/json": {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}},
    responses={202: _TAKEN},
    examples=[
        OpenApiExample(
            "A call",
            {"id": "call_1", "model": "flagship-2", "prompt_tokens": 812, "completion_tokens": 1403, "end_user": "u"},
            request_only=True,
        ),
        _SUMMARY,
    ],
)
_STATUS: Final = {
    "description": "A google.rpc.Status, in the encoding of the request.",
    "content": {"application/json": {"schema": {"type": "object"}}},
}
describe_traces = extend_schema(
    operation={
        "operationId": "send_traces",
        "summary": "Send spans by OTLP over HTTP",
        "description": (
            "An ExportTraceServiceRequest in protobuf or JSON; plain, gzip or zstd. 200 once the events of the good "
            "spans are committed; `partialSuccess` counts the others."
        ),
        "tags": TAG,
        "security": [{"serviceKey": ["usage:write"]}],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object", "properties": {"resourceSpans": {"type": "array"}}},
                    "examples": {"none": {"summary": "No spans", "value": {"resourceSpans": []}}},
                },
                "application/x-protobuf": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        "responses": {
            "200": {
                "description": "An ExportTraceServiceResponse.",
                "content": {
                    "application/json": {
                        "schema": {"type": "object"},
                        "examples": {"all": {"summary": "All were taken", "value": {}}},
                    },
                    "application/x-protobuf": {"schema": {"type": "string", "format": "binary"}},
                },
            },
            **dict.fromkeys(("400", "401", "403", "default"), _STATUS),
        },
    }
)
