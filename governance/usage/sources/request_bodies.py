"""The question in a request to a model, whatever API it is written for, as messages in the OpenAI chat format. Pure.

Read are the bodies of OpenAI (chat, responses, completions, embeddings), Anthropic, Gemini and Vertex AI, Bedrock
(Converse and the text models'), Cohere and text-generation servers.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

Message = dict[str, Any]

# White space, and the mark that some programs write before a text.
_AROUND: Final = " \t\r\n\ufeff"
_MOST_ENCODINGS: Final = 2

# What Gemini and Cohere call the roles.
_ROLES: Final = {"model": "assistant", "chatbot": "assistant"}
_SYSTEM: Final = ("system", "systemInstruction", "system_instruction", "instructions", "preamble")
# Where questions stand: as messages, or as text.
_MESSAGES: Final = ("messages", "contents", "input")
_TEXTS: Final = ("prompt", "message", "inputText", "inputs", "content", "texts")
# Requests that hold the request.
_INNER: Final = ("request", "requests", "instances", "params", "generateContentRequest")
# What Gemini calls the parameters; they stand in an object of their own.
_CONFIG: Final = ("generationConfig", "generation_config")
_PARAMETERS: Final = {
    "maxOutputTokens": "max_tokens",
    "topP": "top_p",
    "candidateCount": "n",
    "logprobs": "top_logprobs",
    "responseLogprobs": "logprobs",
}


def parse_json_object(text: Any) -> Mapping[str, Any] | None:
    """The JSON object that is written in a text, as JSON or as a text in JSON again; None where none is."""
    body = text
    for _ in range(_MOST_ENCODINGS):
        if not looks_like_json(body):
            break
        try:
            body = json.loads(body.strip(_AROUND))
        except (ValueError, RecursionError):
            return None
    return body if isinstance(body, dict) else None


def looks_like_json(text: Any) -> bool:
    return isinstance(text, str) and text.lstrip(_AROUND).startswith(("{", "[", '"{', '"['))


def extract_messages(body: Mapping[str, Any]) -> list[Message] | None:
    """The messages of the request, the system prompt first; None where it asks a model nothing that can be read."""
    asked = [*_asked_messages(body)]
    if not asked:
        return None
    return [*(to_system_message(body[name]) for name in _SYSTEM if body.get(name)), *asked]


def extract_parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the request under OpenAI's names."""
    config: Mapping[str, Any] = next((body[name] for name in _CONFIG if isinstance(body.get(name), dict)), {})
    return {_PARAMETERS.get(name, name): value for name, value in config.items()} | dict(body)


def to_message(one: Any) -> Message | None:
    """A message of any of these APIs; None for what is none, such as a call of a tool."""
    match one:
        case str():
            return {"role": "user", "content": one}
        case {"content": content} | {"parts": content} | {"message": content} | {"text": content}:
            role = one.get("role")
            named = role.lower() if isinstance(role, str) else "user"
            return {"role": _ROLES.get(named, named), "content": _content(content)}
        case _:
            return None


def to_system_message(value: Any) -> Message:
    """A system prompt, given as text, as parts or as a message."""
    inner = to_message(value)
    return {"role": "system", "content": inner["content"] if inner else _content(value)}


def _content(value: Any) -> Any:
    """Text, or a list of parts; one part alone is given as such by some."""
    return [value] if isinstance(value, dict) else value


def _asked_messages(body: Mapping[str, Any]) -> Iterator[Message]:
    for name in ("chat_history", *_MESSAGES, *_TEXTS):
        given = body.get(name)
        yield from filter(None, map(to_message, given if isinstance(given, list) else [given]))
    for name in _INNER:
        given = body.get(name)
        for inner in given if isinstance(given, list) else [given]:
            if isinstance(inner, dict):
                yield from extract_messages(inner) or ()
