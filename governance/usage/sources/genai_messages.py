"""The prompt that a GenAI span carries, in the chat format of the OpenAI API, and the answer. Pure.

The conventions have changed their minds about where it stands, and instrumentations had their own places. These are
tried newest first, and the first that holds a prompt is taken.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from governance.usage.sources.trace_spans import SpanEvent, TraceSpan

Message = dict[str, Any]

# Where messages stand, and since when (version of the semantic conventions) or with whom.
STRUCTURED: Final = {
    "gen_ai.input.messages": "1.37",
    "gen_ai.prompt_json": "Cloudflare AI Gateway",
    "ai.prompt.messages": "Vercel AI SDK",
}
ANSWER: Final = {"gen_ai.output.messages": "1.37"}
SYSTEM: Final = {"gen_ai.system_instructions": "1.37"}
NUMBERED: Final = {"gen_ai.prompt.<n>.role": "OpenLLMetry", "gen_ai.prompt.<n>.content": "OpenLLMetry"}
PLAIN: Final = {"gen_ai.prompt": "1.26 to 1.27"}
EVENTS: Final = {f"gen_ai.{role}.message": "1.28 to 1.36" for role in ("system", "user", "assistant", "tool")}
EVENT_CONTENT: Final = ("gen_ai.event.content", "content")
# What instrumentations call the roles otherwise than the conventions.
ROLES: Final = {"human": "user", "ai": "assistant", "model": "assistant"}
# Events whose attributes are read as if they were the span's.
DETAILS: Final = {"gen_ai.client.inference.operation.details": "1.37", "gen_ai.content.prompt": "1.26 to 1.27"}

_NUMBERED: Final = re.compile(r"gen_ai\.prompt\.(\d{1,6})\.(role|content)")
_ANY_JSON: Final = re.compile(r"\s*[\[{]")
_TYPES_OF_TEXT: Final = (None, "text", "message")  # a tuple, since a type may be anything, hashable or not
# A prompt may be JSON in its own right; this is how messages, and lists of their parts, begin.
_JSON_OF_MESSAGES: Final = re.compile(
    r'\s*(\[\s*\{\s*"(role|type|parts|content|text)"|\{\s*"(role|content|messages|system)")'
)


def read_messages(span: TraceSpan) -> list[Message] | None:
    """The messages of the request, the system prompt first; None where the span carries no text that can be read."""
    try:
        return _messages_in(span) or None
    except RecursionError:
        return None


def read_output(span: TraceSpan) -> str | None:
    """The text of the answer; None where the span carries none that can be read."""
    attributes = _all_attributes(span)
    try:
        answers = [one for name in ANSWER for one in _as_messages(_parse_json_text(attributes.get(name), _ANY_JSON))]
    except RecursionError:
        return None
    return "\n".join(filter(None, (one["content"] for one in answers))) or None


def _all_attributes(span: TraceSpan) -> Mapping[str, Any]:
    attributes = dict(span.attributes)
    for event in span.events:
        if event.name in DETAILS:
            attributes = {**event.attributes, **attributes}
    return attributes


def _messages_in(span: TraceSpan) -> list[Message]:
    attributes = _all_attributes(span)
    system = [_message("system", _parse_json_text(attributes.get(name), _ANY_JSON)) for name in SYSTEM]
    messages = (
        _structured_messages(attributes)
        or _numbered_messages(attributes)
        or _plain_messages(attributes)
        or _from_events(span.events)
    )
    return [message for message in (*system, *messages) if message["content"]]


def _structured_messages(attributes: Mapping[str, Any]) -> list[Message]:
    return next(
        (found for name in STRUCTURED if (found := _as_messages(_parse_json_text(attributes.get(name), _ANY_JSON)))), []
    )


def _numbered_messages(attributes: Mapping[str, Any]) -> list[Message]:
    by_place: dict[int, dict[str, Any]] = defaultdict(dict)
    for name, value in attributes.items():
        if found := _NUMBERED.fullmatch(name):
            by_place[int(found[1])][found[2]] = value
    return [
        _message(one.get("role"), _parse_json_text(one.get("content"), _JSON_OF_MESSAGES))
        for _, one in sorted(by_place.items())
    ]


def _plain_messages(attributes: Mapping[str, Any]) -> list[Message]:
    return [
        message for name in PLAIN for message in _as_messages(_parse_json_text(attributes.get(name), _JSON_OF_MESSAGES))
    ]


def _from_events(events: Iterable[SpanEvent]) -> list[Message]:
    return [
        _message(event.name.split(".")[1], _parse_json_text(content, _JSON_OF_MESSAGES))
        for event in events
        if event.name in EVENTS
        for content in [next(filter(None, map(event.attributes.get, EVENT_CONTENT)), None)]
    ]


def _parse_json_text(value: Any, json_begins: re.Pattern[str]) -> Any:
    """The value behind a string that begins like JSON.

    Such a string that is none was cut to fit an attribute, and counts as no text: taken for one, its brackets and
    keys would look like a wrapper that all long prompts of an account share.
    """
    if not isinstance(value, str) or not json_begins.match(value):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _as_messages(value: Any) -> list[Message]:
    match value:
        case str(text):
            return [_message("user", text)]
        case {"messages": messages}:
            return [_message("system", value.get("system")), *_as_messages(messages)]
        case {"role": role, "parts": content} | {"role": role, "content": content}:
            return [_message(role, content)]
        case [*entries]:
            return [message for entry in entries for message in _as_messages(entry)]
        case _:
            return []


def _message(role: Any, content: Any) -> Message:
    named = role.lower() if isinstance(role, str) else "user"
    return {"role": ROLES.get(named, named), "content": _text(content)}


def _text(content: Any) -> str:
    """What a message says in words: a string, a part, or a list of both; images and calls say nothing."""
    match content:
        case str(text):
            return text
        case {"text": str(text)} | {"response": str(text)} | {"result": str(text)}:
            return text
        case {"content": inner} if content.get("type") in _TYPES_OF_TEXT:
            return _text(inner)
        case [*parts]:
            return "\n".join(text for part in parts if (text := _text(part)))
        case _:
            return ""
