"""The answer in what a model's API returned, whatever API it is, as text. Pure.

Read are the bodies of OpenAI (chat, completions, responses), Anthropic, Gemini and Vertex AI, and Bedrock (Converse).
"""

from collections.abc import Collection
from typing import Any

from governance.usage.prompts import read_text
from governance.usage.sources.request_bodies import looks_like_json, parse_json_object


def extract_answer(response: Any, *, hidden: Collection[str] = ()) -> str | None:
    """The text of all choices of an answer; None where there is none that can be read, or one of `hidden` stands."""
    if isinstance(response, str):
        body: Any = parse_json_object(response)
        if body is None:  # JSON that was cut is no answer
            return None if looks_like_json(response) or response in hidden else response or None
    else:
        body = response
    return "\n".join(text for part in _parts(body) if (text := _text(part)) and text not in hidden) or None


def _parts(body: Any) -> list[Any]:
    match body:
        case {"choices": [*choices]}:
            return [one.get("message", one.get("text")) for one in choices if isinstance(one, dict)]
        case {"candidates": [*candidates]}:
            return [one.get("content") for one in candidates if isinstance(one, dict)]
        case {"output": [*items]}:
            return items
        case {"output": dict(output)}:
            return [output.get("message")]
        case dict():
            return [body]
        case _:
            return []


def _text(part: Any) -> str:
    match part:
        case {"content": content} | {"parts": content}:
            return read_text(content)
        case str():
            return part
        case _:
            return ""
