"""OpenTelemetry: spans of GenAI requests, mapped onto the wire format. Pure.

The tables below say which attributes a member is read from, newest name first, and since when each name has been
in the semantic conventions, or who uses it beside them. The conventions for GenAI began with 1.26, are in
development and rename things; what they rename stays here. Every member can also be given under Stillwatch's own
name, which goes before all others: `stillwatch.organisation`, `stillwatch.asn`, `stillwatch.top_logprobs`.
Attributes of the resource count where the span has none.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from accounts.normalization import is_nothing, normalize_address
from governance.usage.sources.coercion import coerce_count, coerce_members, coerce_text
from governance.usage.sources.finish_reasons import is_refusal
from governance.usage.sources.genai_messages import read_messages
from governance.usage.sources.litellm_calls import OPERATIONS, is_retrieval
from governance.usage.sources.otlp import decode_spans
from governance.usage.sources.paths import MAX_LENGTHS, storable_model, storable_text
from governance.usage.sources.trace_spans import TraceSpan
from governance.usage.wire import Client, Parameters, Rejection, TimeRange, UsageEvent, build_event
from governance.web.faults import TOO_DEEP

Table = Mapping[str, Mapping[str, str]]

OWN: Final = "stillwatch."

MEMBERS: Final[Table] = {
    # No convention names the customer. `user.id` and `enduser.id` often repeat what the request's body says, and so
    # would let anybody put usage on another's account; `service.name` would make one account of everybody.
    "account": {},
    "organisation": {},
    "api_key": {},
    "model": {"gen_ai.request.model": "1.26", "gen_ai.response.model": "1.26"},
    "operation": {"gen_ai.operation.name": "1.27", "llm.request.type": "OpenLLMetry"},
    "input_tokens": {"gen_ai.usage.input_tokens": "1.27", "gen_ai.usage.prompt_tokens": "1.26"},
    "output_tokens": {"gen_ai.usage.output_tokens": "1.27", "gen_ai.usage.completion_tokens": "1.26"},
    "cached_input_tokens": {
        "gen_ai.usage.cache_read.input_tokens": "1.40",
        "gen_ai.usage.cache_read_input_tokens": "OpenLLMetry",
    },
    "reasoning_tokens": {
        "gen_ai.usage.reasoning.output_tokens": "1.41",
        "gen_ai.usage.reasoning_tokens": "OpenLLMetry",
    },
}

# What the customer's own client says of a request. A value that does not fit is left out: it must not keep the
# request from being counted.
CONTEXT: Final[Table] = {
    "end_user": {
        "user.id": "1.27",
        "enduser.id": "before 1.26",
        "gen_ai.user": "OpenLLMetry",
        "llm.user": "OpenLLMetry",
    },
    "conversation": {"gen_ai.conversation.id": "1.34", "session.id": "before 1.26"},
}
PARAMETERS: Final[Table] = {
    "temperature": {"gen_ai.request.temperature": "1.26"},
    "top_p": {"gen_ai.request.top_p": "1.26"},
    "n": {"gen_ai.request.choice.count": "1.31", "gen_ai.request.n": "vLLM"},
    "max_tokens": {"gen_ai.request.max_tokens": "1.26"},
    "logprobs": {},
    "top_logprobs": {},
    "seed": {"gen_ai.request.seed": "1.30", "gen_ai.openai.request.seed": "1.28"},
    "stream": {
        "gen_ai.request.stream": "1.41",
        "gen_ai.is_streaming": "OpenLLMetry",
        "llm.is_streaming": "OpenLLMetry",
    },
    "response_format": {"gen_ai.output.type": "1.31", "gen_ai.openai.request.response_format": "1.28"},
    "tools": {},
}
CLIENT: Final[Table] = {
    "ip": {"client.address": "before 1.26", "http.client_ip": "before 1.26"},
    "asn": {},
    "country": {"geo.country.iso_code": "1.29"},
    "user_agent": {"user_agent.original": "before 1.26", "http.user_agent": "before 1.26"},
}

# What tells a request from other spans, and how it ended.
SIGNS: Final[Table] = {
    "provider": {"gen_ai.provider.name": "1.37", "gen_ai.system": "1.26"},
    "status": {},
    "http_status": {"http.response.status_code": "before 1.26", "http.status_code": "before 1.26"},
    "error": {"error.type": "before 1.26"},
    "finish_reasons": {
        "gen_ai.response.finish_reasons": "1.26",
        "gen_ai.response.finish_reason": "OpenLLMetry",
        "llm.response.finish_reason": "OpenLLMetry",
    },
}

# Requests to a model. Agents, tools, workflows, retrievals and memories have spans of their own, whose tokens are
# those of the requests inside them.
REQUESTS: Final = {"chat", "generate_content", "text_completion", "embeddings"}
NO_REQUESTS: Final = {
    "create_agent", "invoke_agent", "execute_tool", "invoke_workflow", "handle_conversation_turn", "plan", "retrieval",
    "fetch_response", "create_memory_store", "delete_memory_store", "create_memory", "update_memory", "upsert_memory",
    "delete_memory", "search_memory",
}  # fmt: skip
# What others call otherwise than the conventions: LiteLLM its call types, OpenLLMetry's `llm.request.type` completions.
RENAMED: Final = {**OPERATIONS, "completion": "text_completion"}
# Spans of these systems never are requests, whatever they carry of the request around them.
STORES: Final = ("db.", "sql.", "cache.", "mcp.", "aws.s3.", "aws.dynamodb.")
# Spans of those who answer, as servers, workers and functions do, and of what they are given: the request to the model
# has a span inside, unless they count tokens themselves.
SERVERS: Final = (
    "http.route", "http.target", "http.server_name", "messaging.", "graphql.", "faas.", "aws.sqs.", "aws.sns.",
    "aws.kinesis.", "aws.lambda.",
)  # fmt: skip
HTTP: Final = ("http.request.", "http.method", "http.url", "http.host", "http.scheme", "http.flavor", "url.")
RPC: Final = ("rpc.",)
# Where the call of a model is itself a span of RPC: Amazon's SDKs, whose instrumentations put everything on one span.
RPC_SERVICES: Final = {"bedrockruntime", "sagemakerruntime"}
RPC_METHODS: Final = {
    "Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream",
    "InvokeModelWithBidirectionalStream", "StartAsyncInvoke", "InvokeEndpoint", "InvokeEndpointWithResponseStream",
    "InvokeEndpointAsync",
}  # fmt: skip
# What spans say of a request that bear more than its names, which whole traces may bear.
DETAILS: Final = (
    "gen_ai.request.", "gen_ai.response.", "gen_ai.input.", "gen_ai.output.", "gen_ai.prompt", "gen_ai.completion",
    "gen_ai.system_instructions", "gen_ai.openai.", "llm.", "ai.prompt.",
)  # fmt: skip
# Whose attributes say nothing of another system.
GENAI: Final = ("gen_ai.", "llm.", "ai.", "openai.", "stillwatch.", "user.", "enduser.", "session.", "error.")

# How clients and providers say it, the last part of a class's name where it is one.
RATE_LIMITED: Final = {"429", "RateLimitError", "rate_limit_exceeded", "ResourceExhausted", "ThrottlingException"}

REQUIRED: Final = ("account", "model", "input_tokens", "output_tokens")
COUNTS: Final = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens")
_OLDEST_NAME_FIRST: Final = {
    name: member
    for table in (MEMBERS, CONTEXT, PARAMETERS, CLIENT, SIGNS)
    for member, names in table.items()
    for name in reversed((OWN + member, *names))
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def events_from_export(body: bytes, *, protobuf: bool, span: TimeRange) -> Iterator[UsageEvent | Rejection]:
    """The event of every span that is a request to a model, or why it is none; other spans are passed over.

    Raises UnreadableBatchError where the body is no ExportTraceServiceRequest.
    """
    for traced in decode_spans(body, protobuf=protobuf):
        if isinstance(traced, Rejection):
            yield traced
            continue
        told = _told(traced.attributes)
        if _is_request(told, traced):
            try:
                yield build_event(_event(traced, told), span=span)
            except RecursionError:
                yield Rejection(traced.number, TOO_DEEP)
            except ValueError as error:
                yield Rejection(traced.number, str(error))


def _told(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What the span tells, by the tables' members: each from the first of its names that says something."""
    return {
        member: attributes[name]
        for name, member in _OLDEST_NAME_FIRST.items()
        if name in attributes and not is_nothing(attributes[name])
    }


def _of(table: Table, told: Mapping[str, Any]) -> dict[str, Any]:
    return {member: told[member] for member in table if member in told}


def _is_request(told: Mapping[str, Any], traced: TraceSpan) -> bool:
    """Return True if a span is a request to a model, False if it is another's that bears the name of one.

    Tokens say so; without any an operation, but not on the span of a server, which has the client's inside it; without
    either a model and its provider where nothing else is said, or more of the request.
    """
    operation, names = _operation(told), traced.own_attributes.keys()
    if operation in NO_REQUESTS or is_retrieval(operation) or _has_any(names, STORES):
        return False
    if not told.keys().isdisjoint(COUNTS):
        return True
    if _has_any(names, SERVERS) or (traced.is_server and _has_any(names, HTTP + RPC)):
        return False
    named = "model" in told and "provider" in told
    if _has_any(names, RPC):
        return _calls_a_model(traced.own_attributes) and (operation in REQUESTS or named)
    return operation in REQUESTS or (named and _is_all_about_a_request(names))


def _calls_a_model(attributes: Mapping[str, Any]) -> bool:
    """Return True if a call of RPC asks a model."""
    service, method = (str(attributes.get(name) or "") for name in ("rpc.service", "rpc.method"))
    if method:
        return re.split("[./]", method)[-1] in RPC_METHODS
    return re.sub("[^a-z]", "", service.lower()) in RPC_SERVICES


def _is_all_about_a_request(names: Collection[str]) -> bool:
    """Return True if a span says more of a request than its names, or nothing of anything else."""
    return _has_any(set(names) - MEMBERS["model"].keys(), DETAILS) or all(
        name in _OLDEST_NAME_FIRST or name.startswith(GENAI) for name in names
    )


def _has_any(names: Collection[str], beginnings: tuple[str, ...]) -> bool:
    return any(name.startswith(beginnings) for name in names)


def _operation(told: Mapping[str, Any]) -> str | None:
    operation = told.get("operation")
    return (
        RENAMED.get(operation, storable_text(operation, MAX_LENGTHS["operation"]))
        if isinstance(operation, str)
        else None
    )


def _event(traced: TraceSpan, told: Mapping[str, Any]) -> dict[str, Any]:
    """The span as members of the wire format. Raises ValueError where one that is required is missing."""
    if not (len(traced.trace_id) == 16 and len(traced.span_id) == 8 and any(traced.trace_id) and any(traced.span_id)):
        raise ValueError("no trace id and span id")
    status, operation = _status(told, failed=traced.failed), _operation(told)
    asked = coerce_members(_of(PARAMETERS, told), Parameters)
    members = _uncounted(status, operation, stream=asked.get("stream")) | _counted(told)
    for member in REQUIRED:
        if member not in members:
            raise ValueError(f"no {member}: set the attribute {next(iter(MEMBERS[member]), OWN + member)}")
    latency = {"latency_ms": (traced.end - traced.start) // 1_000_000}
    return {
        **members,
        **coerce_members(_of(CONTEXT, told) | latency, UsageEvent),
        "id": f"{traced.trace_id.hex()}-{traced.span_id.hex()}",
        "occurred_at": _EPOCH + timedelta(microseconds=traced.start // 1000),
        "operation": operation,
        "status": status,
        "client": _client(told),
        "parameters": asked,
        "messages": read_messages(traced),
    }


def _counted(told: Mapping[str, Any]) -> dict[str, Any]:
    """The members with their counts. One that cannot be read is left out where it need not be given."""
    members = _of(MEMBERS, told)
    if name := storable_model(members.pop("model", None)):
        members["model"] = name
    for name in COUNTS:
        if name in members and ((number := coerce_count(members[name])) is not None or name not in REQUIRED):
            members[name] = number
    return members


def _uncounted(status: str, operation: str | None, *, stream: bool | None) -> dict[str, int | None]:
    """The counts that may be missing, and what they then are: nought, or unknown.

    Streams are counted only where the customer asks for it (`stream_options`) and reads to the end, and nobody may
    choose not to count. Some instrumentations do not say what was streamed.
    """
    if status != "ok":
        return {"input_tokens": 0, "output_tokens": 0}
    if stream is not False:
        return {"input_tokens": None, "output_tokens": 0 if operation == "embeddings" else None}
    return {"output_tokens": 0} if operation == "embeddings" else {}


def _status(told: Mapping[str, Any], *, failed: bool) -> Any:
    """How the request ended, as far as the span tells."""
    http_status, error, reasons = (
        coerce_text(told.get("http_status"), int),
        told.get("error"),
        told.get("finish_reasons"),
    )
    if "status" in told:
        return told["status"]
    if http_status == HTTPStatus.TOO_MANY_REQUESTS or str(error).rpartition(".")[2] in RATE_LIMITED:
        return "rate_limited"
    if is_refusal(reasons):
        return "refused"
    if failed or error or (isinstance(http_status, int) and http_status >= HTTPStatus.BAD_REQUEST):
        return "error"
    return "ok"


def _client(told: Mapping[str, Any]) -> dict[str, Any]:
    """Where the request came from. The conventions allow names of hosts and paths of sockets as address too."""
    client = coerce_members(_of(CLIENT, told), Client)
    return {name: value for name, value in client.items() if name != "ip" or _is_address(value)}


def _is_address(text: str) -> bool:
    try:
        return bool(normalize_address(text))
    except ValueError:
        return False
