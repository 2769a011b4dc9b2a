"""How a request ended that LiteLLM logs. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from governance.usage.sources.finish_reasons import is_refusal
from governance.usage.sources.paths import Paths, first_value, storable_text, value_at

# What the status is concluded from.
OUTCOME: Final[Mapping[str, Paths]] = {
    "status": ("status",),
    "code": ("error_information.error_code", "metadata.error_information.error_code"),
    "kind": ("error_information.error_class", "metadata.error_information.error_class"),
    "limit": ("error_information.error_rate_limit_category", "metadata.error_information.error_rate_limit_category"),
    "guardrail": ("status_fields.guardrail_status",),
}
ANSWERED: Final = ("ok", "refused")
_REFUSALS: Final = {"ContentPolicyViolationError", "GuardrailRaisedException"}
# Why an answer ended, and each of several, in the words of OpenAI, Anthropic, Gemini and Bedrock.
_ENDED: Final[Paths] = ("incomplete_details.reason", "stop_reason", "stopReason", "promptFeedback.blockReason")
_EACH_ENDED: Final[Mapping[str, Paths]] = {
    "choices": ("finish_reason",),
    "candidates": ("finishReason", "finish_reason"),
}


def status_of(item: Mapping[str, Any]) -> str:
    """Return the status of a payload or a row, as the wire format has it."""
    values = {name: storable_text(first_value(item, places)) for name, places in OUTCOME.items()}
    if values["status"] != "failure":
        return "refused" if is_refusal([*_ends(item.get("response"))]) else "ok"
    if values["code"] == "429" or values["limit"]:
        return "rate_limited"
    return "refused" if values["kind"] in _REFUSALS or values["guardrail"] == "guardrail_intervened" else "error"


def _ends(response: Any) -> Iterator[Any]:
    """Why the answers ended."""
    yield from (value_at(response, place) for place in _ENDED)
    for name, places in _EACH_ENDED.items():
        answers = value_at(response, name)
        yield from (first_value(one, places) for one in (answers if isinstance(answers, list) else ()))
