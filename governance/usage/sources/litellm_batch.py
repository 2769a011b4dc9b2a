"""A batch as LiteLLM's callback sends it: `json_array`, `ndjson` or `single`, all said to be JSON. Pure."""

import io
import json
from collections.abc import Iterator
from typing import Any, Final

from accounts.normalization import strip_byte_order_mark
from governance.usage.lenient_json import find_value_end, parse_integer, skip_whitespace
from governance.usage.wire import Rejection, UnreadableBatchError
from governance.web.faults import TOO_DEEP

# Not msgspec: it would refuse payloads that hold NaN, or half a character in somebody's prompt.
_decoder: Final = json.JSONDecoder(parse_int=parse_integer)


def parse_payloads(body: bytes) -> Iterator[tuple[int, Any]]:
    """Every payload with its number, counted from 1, or the Rejection of one that cannot be parsed.

    Raises UnreadableBatchError where the body is neither an array nor an object a line. Payloads come one at a time,
    so that an array of millions takes no memory before it is noticed.
    """
    text = strip_byte_order_mark(body).decode(errors="replace")
    start = skip_whitespace(text, 0)
    match text[start : start + 1]:
        case "[":
            try:
                yield from _elements(text, start + 1)
            except ValueError as error:
                raise UnreadableBatchError(f"This array is no JSON: {error}") from error
        case "{":
            yield from _lines(text)
        case _:
            raise UnreadableBatchError("This is neither an array of payloads nor one payload a line.")


def _elements(text: str, start: int) -> Iterator[tuple[int, Any]]:
    at, number = skip_whitespace(text, start), 0
    while not text.startswith("]", at):
        number += 1
        begin = at
        try:
            element, at = _decoder.raw_decode(text, begin)
        except (ValueError, RecursionError) as error:
            element, at = _rejection(number, error), find_value_end(text, begin)
        yield number, element
        at = skip_whitespace(text, at)
        if text.startswith(",", at):
            at = skip_whitespace(text, at + 1)
        elif not text.startswith("]", at):
            raise ValueError("a comma is missing")
    if skip_whitespace(text, at + 1) != len(text):
        raise ValueError("something stands after it")


def _lines(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(io.StringIO(text), 1):
        if line and not line.isspace():
            try:
                yield number, _decoder.decode(line)
            except (ValueError, RecursionError) as error:
                yield number, _rejection(number, error)


def _rejection(number: int, error: Exception) -> Rejection:
    return Rejection(number, TOO_DEEP if isinstance(error, RecursionError) else f"no JSON: {error}")
