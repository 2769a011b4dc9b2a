"""A batch as LiteLLM's callback sends it: `json_array`, `ndjson` or `single`, all said to be JSON. Pure."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from accounts.normalization import without_mark
from governance.usage.wire import Rejection, UnreadableBatchError

# Not msgspec: of NaN, or of half a character in somebody's prompt, it would refuse the whole batch.
_decoder: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"[ \t\r\n]*")


def payloads_in(body: bytes) -> Iterator[tuple[int, Any]]:
    """Every payload with its number, counted from 1, or the Rejection of a line that is no JSON.

    Raises UnreadableBatchError where the body is neither an array nor an object a line. Payloads come one at a time,
    so that an array of millions takes no memory before it is noticed.
    """
    try:
        text = without_mark(body).decode()
    except UnicodeDecodeError as error:
        raise UnreadableBatchError("This is not UTF-8.") from error
    start = _after_space(text, 0)
    match text[start : start + 1]:
        case "[":
            try:
                yield from enumerate(_members(text, start + 1), 1)
            except (ValueError, RecursionError) as error:
                raise UnreadableBatchError(f"This array is no JSON: {error}") from error
        case "{":
            yield from _lines(text)
        case _:
            raise UnreadableBatchError("This is neither an array of payloads nor one payload a line.")


def _members(text: str, start: int) -> Iterator[Any]:
    at = _after_space(text, start)
    while not text.startswith("]", at):
        member, at = _decoder.raw_decode(text, at)
        yield member
        at = _after_space(text, at)
        if text.startswith(",", at):
            at = _after_space(text, at + 1)
        elif not text.startswith("]", at):
            raise ValueError("a comma is missing")
    if _after_space(text, at + 1) != len(text):
        raise ValueError("something stands after it")


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _lines(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(io.StringIO(text), 1):
        if line and not line.isspace():
            try:
                yield number, json.loads(line)
            except RecursionError:
                yield number, Rejection(number, "nested too deeply")
            except ValueError as error:
                yield number, Rejection(number, f"no JSON: {error}")
