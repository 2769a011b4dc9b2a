"""Tell spans that are requests to a model from others that name a model. Pure."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from governance.usage.sources.genai_attributes import COUNTS, MEMBERS, OLDEST_NAME_FIRST
from governance.usage.sources.litellm_calls import OPERATIONS, is_retrieval
from governance.usage.sources.paths import MAX_LENGTHS, storable_text
from governance.usage.sources.trace_spans import TraceSpan

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


def is_request(members: Mapping[str, Any], traced: TraceSpan) -> bool:
    """Return True if a span is a request to a model, False if it is another's that bears the name of one.

    Tokens say so; without any an operation, but not on the span of a server, which has the client's inside it; without
    either a model and its provider where nothing else is said, or more of the request.
    """
    operation, names = operation_of(members), traced.own_attributes.keys()
    if operation in NO_REQUESTS or is_retrieval(operation) or _has_any(names, STORES):
        return False
    if not members.keys().isdisjoint(COUNTS):
        return True
    if _has_any(names, SERVERS) or (traced.is_server and _has_any(names, HTTP + RPC)):
        return False
    named = "model" in members and "provider" in members
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
        name in OLDEST_NAME_FIRST or name.startswith(GENAI) for name in names
    )


def _has_any(names: Collection[str], beginnings: tuple[str, ...]) -> bool:
    return any(name.startswith(beginnings) for name in names)


def operation_of(members: Mapping[str, Any]) -> str | None:
    """What the request asks for, by the name that the wire format has for it; None where nothing is said."""
    operation = members.get("operation")
    return (
        RENAMED.get(operation, storable_text(operation, MAX_LENGTHS["operation"]))
        if isinstance(operation, str)
        else None
    )
