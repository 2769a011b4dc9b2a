"""LiteLLM: what its `generic_api` callback sends, and what its spend logs keep, mapped onto the wire format. Pure.

The callback sends StandardLoggingPayloads (litellm/types/utils.py). A row of the spend logs (LiteLLM_SpendLogs in
litellm/proxy/schema.prisma) is the same request under other names, without its text and parameters. The tables below
say where a member stands in either; the first place that holds something is taken.

Much of a payload was written by the customer and passed on by LiteLLM. Nothing of that may cost the event: what does
not fit is cut or left out, or else a harvester could choose not to be counted.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from accounts.normalization import normalize_address
from governance.usage.sources.coercion import coerce_count, coerce_members, coerce_text
from governance.usage.sources.litellm_batch import parse_payloads
from governance.usage.sources.litellm_calls import (
    BATCHES,
    OPERATIONS,
    PASS_THROUGH,
    identify_call,
    is_in_background,
    is_retrieval,
    may_be_unfinished,
)
from governance.usage.sources.litellm_outcome import ANSWERED, status_of
from governance.usage.sources.paths import (
    MAX_LENGTHS,
    Paths,
    first_value,
    parse_time,
    storable_model,
    storable_text,
    value_at,
)
from governance.usage.sources.request_bodies import (
    extract_messages,
    extract_parameters,
    looks_like_json,
    parse_json_object,
    to_message,
    to_system_message,
)
from governance.usage.sources.response_bodies import extract_answer
from governance.usage.wire import Parameters, Rejection, Report, TimeRange, build_event
from stillwatch_gateway.naming import lasting_key, litellm_account

Item = dict[str, Any]

# All three are LiteLLM's own knowledge. What the request says about its sender (`user`, metadata) is the customer's
# word, and would let anybody put usage on another's account.
ACCOUNT: Final[tuple[Paths, ...]] = (
    ("metadata.user_api_key_team_id", "team_id"),
    ("metadata.user_api_key_user_id", "user"),
    ("metadata.user_api_key_hash", "api_key"),
)
MEMBERS: Final[Mapping[str, Paths]] = {
    "organisation": ("metadata.user_api_key_org_id", "organization_id"),
    "api_key": ("metadata.user_api_key_hash", "api_key"),
    "input_tokens": ("prompt_tokens",),
    "output_tokens": ("completion_tokens",),
    "cached_input_tokens": (
        "metadata.usage_object.prompt_tokens_details.cached_tokens",
        "metadata.usage_object.cache_read_input_tokens",
    ),
    "reasoning_tokens": ("metadata.usage_object.completion_tokens_details.reasoning_tokens",),
    "end_user": ("end_user",),
}
# The public name; the one behind it is looked at where a request went past LiteLLM's list of models.
MODEL: Final[Paths] = ("model_group", "model")
CLIENT: Final[Mapping[str, Paths]] = {
    "ip": ("metadata.requester_ip_address", "requester_ip_address"),
    "user_agent": ("metadata.user_agent", "user_agent"),
}
PARAMETERS: Final[Mapping[str, Paths]] = {
    "temperature": ("model_parameters.temperature",),
    "top_p": ("model_parameters.top_p",),
    "n": ("model_parameters.n",),
    "max_tokens": (
        "model_parameters.max_completion_tokens",
        "model_parameters.max_tokens",
        "model_parameters.max_output_tokens",
    ),
    "logprobs": ("model_parameters.logprobs",),
    "top_logprobs": ("model_parameters.top_logprobs",),
    "seed": ("model_parameters.seed",),
    "stream": ("stream", "model_parameters.stream"),
    "response_format": ("model_parameters.response_format.type", "model_parameters.text.format.type"),
    "tools": ("model_parameters.tools", "model_parameters.functions"),
}
_NO_MODEL: Final = "unknown-model"  # as LiteLLM calls it
# What LiteLLM logs in place of messages that it is set to hide, or that a request did not have.
_NO_TEXT: Final = ("redacted-by-litellm", "REDACTED_BY_LITELM", "default-message-value")
_SYSTEM_ROLES: Final = ("system", "developer")
# Where a system prompt stands that is beside the messages.
_SYSTEM_PROMPT: Final[Paths] = tuple(
    f"model_parameters.{name}" for name in ("system", "systemInstruction", "system_instruction")
)
_OPERATION: Final = "operation of what was passed through"  # no member of LiteLLM's
_INTERFACE: Final = re.compile(r"%[^\]]*")


def events_from_batch(body: bytes, *, span: TimeRange) -> Iterator[Report | Rejection]:
    """The event of every payload of a batch that is a customer's request to a model, or why it is none.

    Raises UnreadableBatchError where the body is neither an array of payloads nor one payload a line.
    """
    for number, payload in parse_payloads(body):
        if isinstance(payload, Rejection):
            yield payload
        else:
            yield from events_from_items([payload], span=span, first_number=number)


def events_from_items(items: Iterable[Any], *, span: TimeRange, first_number: int = 1) -> Iterator[Report | Rejection]:
    """The same for payloads, or rows of the spend logs, that are objects already."""
    for number, item in enumerate(items, first_number):
        try:
            if not isinstance(item, dict) or "call_type" not in item:
                raise ValueError("not a request as LiteLLM logs it: no call_type")  # noqa: TRY301 - reported below
            call = _parse_passed_through_body(item)
            if _is_request(call) and (account := _account(call)):
                yield _report(call, account, span=span)
        except (ValueError, OverflowError) as error:
            yield Rejection(number, str(error))


def _parse_passed_through_body(item: Item) -> Item:
    """The item with the messages and parameters of a request that LiteLLM passed through, whose body is JSON text."""
    if storable_text(item.get("call_type")) not in PASS_THROUGH:
        return item
    sent = item.get("messages")
    written = value_at(sent[0], "content") if isinstance(sent, list) and sent else None
    body = parse_json_object(written)
    if body is None:  # JSON that was cut is no question: its brackets and keys would look like a wrapper
        return {**item, "messages": None} if looks_like_json(written) else item
    values = item.get("model_parameters")
    parameters = (values if isinstance(values, dict) else {}) | extract_parameters(body)
    question = extract_messages(body)
    return {**item, "messages": question, "model_parameters": parameters, _OPERATION: question and "chat"}


def _is_request(item: Item) -> bool:
    """Whether a customer sent this to a model; retries that LiteLLM paid for itself have rows of their own."""
    if value_at(item, "metadata.billed_retry_attempt") is True:
        return False
    return bool(_operation(item) or item.get("prompt_tokens") or item.get("completion_tokens"))


def _operation(item: Item) -> str | None:
    return OPERATIONS.get(storable_text(item.get("call_type")) or "") or item.get(_OPERATION)


def _report(item: Item, account: str, *, span: TimeRange) -> Report:
    members = _members(item)
    call = identify_call(item, account=account, began=members["occurred_at"])
    event = build_event({"account": account, **members, "id": call.id}, span=span)
    call_type = storable_text(item.get("call_type"))
    return Report(
        event,
        call.identity,
        call.answer,
        is_event=not is_retrieval(call_type),
        in_background=is_in_background(item),
        varies=may_be_unfinished(call_type) or call_type in BATCHES,
    )


def _account(item: Item) -> str | None:
    """Whose usage this is; None where it is LiteLLM's own: health checks, and holders of the master key.

    A request that was turned away carries the digest of whatever it showed as a key. Only where LiteLLM got as far as
    noting who sent it is that known to be a key.
    """
    team, user, key = (storable_text(first_value(item, places)) for places in ACCOUNT)
    if item.get("status") == "failure" and not any(first_value(item, places) for places in CLIENT.values()):
        key = None
    if not (team or user or lasting_key(key)):
        raise ValueError("no account: LiteLLM knows no team, user or key of this request")
    return litellm_account(team, user, key)


def _members(item: Item) -> dict[str, Any]:
    members = {name: first_value(item, places) for name, places in MEMBERS.items()}
    began, ended = parse_time(item.get("startTime")), parse_time(item.get("endTime"))
    operation = _operation(item) or storable_text(item.get("call_type"), MAX_LENGTHS["operation"])
    status = status_of(item)
    return {
        **members,
        **_tokens(item, members, operation=operation, status=status),
        "occurred_at": began,
        "organisation": storable_text(members["organisation"]),
        "api_key": lasting_key(storable_text(members["api_key"])),
        "model": _model(item),
        "operation": operation,
        "latency_ms": (ended - began) // timedelta(milliseconds=1) if ended >= began else None,
        "status": status,
        "client": _client(item),
        "end_user": storable_text(members["end_user"], MAX_LENGTHS["end_user"]),
        "conversation": _conversation(item),
        "parameters": _parameters(item),
        "messages": _messages(item),
        "output": extract_answer(item.get("response"), hidden=_NO_TEXT),
    }


def _tokens(item: Item, members: Mapping[str, Any], *, operation: str | None, status: str) -> dict[str, Any]:
    """The tokens of question and answer, and of what need not be counted as far as it can be read.

    A model that answered has counted some: two noughts mean none are known. So does one for an answer that may still
    be made in the background.
    """
    given, got = _count(members["input_tokens"]), _count(members["output_tokens"])
    unknown = status in ANSWERED and not got and (not given or may_be_unfinished(storable_text(item.get("call_type"))))
    return {
        "input_tokens": None if unknown else given,
        "output_tokens": None if unknown and operation != "embeddings" else got,
        "cached_input_tokens": coerce_count(members["cached_input_tokens"]),
        "reasoning_tokens": coerce_count(members["reasoning_tokens"]),
    }


def _count(value: Any) -> Any:
    """The count of tokens; what cannot be read as one stays, so that it is named."""
    number = coerce_count(value)
    return number if number is not None else value or 0


def _model(item: Item) -> str:
    """The model's public name. A failed request without one may have asked for anything, and often for no model."""
    places = MODEL[:1] if item.get("status") == "failure" else MODEL
    return storable_model(first_value(item, places)) or _NO_MODEL


def _client(item: Item) -> dict[str, Any]:
    values = {name: storable_text(first_value(item, places)) for name, places in CLIENT.items()}
    return values | {"ip": _address(values["ip"])}


def _address(values: str | None) -> str | None:
    """The sender's address: the first of several hops, without its interface; None where it is none."""
    hop = _INTERFACE.sub("", (values or "").partition(",")[0])
    try:
        return normalize_address(hop) or None
    except ValueError:
        return None


def _conversation(item: Item) -> str | None:
    """The session that the customer named.

    Where none was named LiteLLM gives every request a trace id of its own, as a UUID or as OpenTelemetry does, which
    would make a conversation of each. In a row the session's id is the trace's.
    """
    named, traced = item.get("session_id"), item.get("trace_id")
    if "request_id" in item:
        named, traced = None, named
    for session in (named, value_at(item, "metadata.requester_metadata.session_id")):
        if values := storable_text(session, MAX_LENGTHS["conversation"]):
            return values
    values = storable_text(traced, MAX_LENGTHS["conversation"])
    try:
        UUID(values or "")
    except ValueError:
        return values
    return None


def _parameters(item: Item) -> dict[str, Any]:
    values = {name: coerce_text(first_value(item, places), int) for name, places in PARAMETERS.items()}
    values["response_format"] = storable_text(values["response_format"], MAX_LENGTHS["response_format"])
    if isinstance(values["tools"], list):
        values["tools"] = len(values["tools"])
    if type(values["logprobs"]) is int:  # as completions ask for them: how many
        values |= {"logprobs": values["logprobs"] > 0, "top_logprobs": values["logprobs"]}
    return coerce_members({name: value for name, value in values.items() if value is not None}, Parameters)


def _messages(item: Item) -> list[Any] | None:
    match item.get("messages"):
        case [*listed]:
            messages = listed
        case (str() | dict()) as single:
            messages = [single]
        case _:
            return None
    messages = [found for one in messages if (found := to_message(one))]
    if any(one["content"] in _NO_TEXT for one in messages):
        return None
    instructions = value_at(item, "model_parameters.instructions")
    if not instructions and not any(one["role"] in _SYSTEM_ROLES for one in messages):
        instructions = first_value(item, _SYSTEM_PROMPT)
    return [to_system_message(instructions), *messages] if instructions and _OPERATION not in item else messages
