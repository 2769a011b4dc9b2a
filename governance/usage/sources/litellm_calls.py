"""What kinds of call LiteLLM logs, and which call a payload or a row is about. Pure.

The call types are those of litellm/types/utils.py.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from governance.usage.sources.paths import Paths, first_value, storable_text

# Of other call types (files, tools and whatever comes yet) those count that have used tokens.
OPERATIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("completion", "acompletion"), "chat"),
    **dict.fromkeys(("responses", "aresponses", "_aresponses_websocket"), "chat"),
    **dict.fromkeys(("create_interaction", "acreate_interaction"), "chat"),
    **dict.fromkeys(("anthropic_messages", "aanthropic_messages"), "chat"),
    **dict.fromkeys(("text_completion", "atext_completion"), "text_completion"),
    **dict.fromkeys(("embedding", "aembedding"), "embeddings"),
    **dict.fromkeys(("generate_content", "agenerate_content"), "generate_content"),
    **dict.fromkeys(("generate_content_stream", "agenerate_content_stream"), "generate_content"),
}
# The body of the customer's request stands in the place of the messages, as JSON text.
PASS_THROUGH: Final = frozenset({"pass_through_endpoint", "llm_passthrough_route", "allm_passthrough_route"})
# Answers that may be made in the background: the call comes back at once and without tokens, which a later report of
# the same answer brings. A batch has no earlier report.
BACKGROUND: Final = frozenset({"responses", "aresponses", "create_interaction", "acreate_interaction"})
BATCHES: Final = frozenset({"retrieve_batch", "aretrieve_batch"})

CALL_ID: Final[Paths] = ("litellm_call_id", "metadata.litellm_call_id")
ANSWER_ID: Final[Paths] = ("id", "request_id")
# What LiteLLM writes behind an id to have rows of its own.
_OF_THE_ROW: Final = ("_background_cost", "_batch_cost")
_OF_A_CACHE: Final = "_cache_hit"
_READS: Final = frozenset(f"{a}{verb}" for verb in ("get", "retrieve", "list", "delete", "cancel") for a in ("", "a"))

LONGEST_ID: Final = 200
_LONGEST_CALL_ID: Final = 180  # the time it began at stands behind it
# Where a payload says that the answer is made in the background.
_IN_BACKGROUND: Final[Paths] = ("model_parameters.background", "response.background")


class CallIdentity(NamedTuple):
    """Which call it is. `id` is shown; `identity` and `answer` are those of `wire.Report`."""

    id: str
    identity: str
    answer: str | None


def may_be_unfinished(call_type: str | None) -> bool:
    """Whether the answer may still be made in the background."""
    return call_type in BACKGROUND or is_retrieval(call_type)


def is_retrieval(call_type: str | None) -> bool:
    """Whether a call only reads, lists or ends what an earlier one made, whose tokens its answer repeats."""
    return call_type not in BATCHES and not _READS.isdisjoint((call_type or "").split("_"))


def is_in_background(item: Mapping[str, Any]) -> bool:
    """Whether a payload says that the answer is made in the background."""
    return first_value(item, _IN_BACKGROUND) is True and storable_text(item.get("call_type")) in BACKGROUND


def identify_call(item: Mapping[str, Any], *, account: str, began: datetime) -> CallIdentity:
    """Which call a payload, or a row of the spend logs, is about.

    It is known by its account and the id of its answer, with its own id and the second it began in: servers give many
    answers one id, and customers may choose the id of a call (`x-litellm-call-id`). Without an answer of its own, since
    none came or a cache gave it, the call is known by the others. An answer that may be made in the background is kept
    and read by its id, so that other reports may be about it: see `governance.usage.answer_reports`.

    Times are cut, not rounded: rows keep milliseconds only, cut from the microseconds that the callback tells.
    """
    call_type, second = storable_text(item.get("call_type")), int(began.timestamp())
    answer, call = (storable_text(first_value(item, places)) for places in (ANSWER_ID, CALL_ID))
    for suffix in _OF_THE_ROW:
        answer = answer and answer.removesuffix(suffix)
    if answer == call or (answer and call and _OF_A_CACHE in answer):
        answer = None
    if answer is None:
        at = second if call else f"{second}.{began.microsecond // 1000:03}"
        name = f"{_short(call or account, longest=_LONGEST_CALL_ID)}@{at}"
        return CallIdentity(name, f"{account}\n{name}", None)
    if call_type in BATCHES:
        return CallIdentity(_short(answer), answer, None)
    whole = f"{account}\n{answer}"
    return CallIdentity(_short(answer), f"{whole}\n{call}\n{second}", whole if may_be_unfinished(call_type) else None)


def has_call_id(item: Mapping[str, Any]) -> bool:
    """Whether it names the call; rows of older versions do not."""
    return storable_text(first_value(item, CALL_ID)) is not None


def _short(name: str, *, longest: int = LONGEST_ID) -> str:
    return name if len(name) <= longest else blake2b(name.encode()).hexdigest()
