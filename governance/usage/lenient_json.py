"""JSON taken apart without being parsed, so that a part which cannot be parsed costs no other. Pure.

Parsers give up on a whole text where one part of it nests too deeply, holds half a character or a number without end.
How deep a part nests does not matter here, and it is given as it is written. Slower than parsing: for what a parser
has refused.
"""

import json
import re
from collections.abc import Iterator
from typing import Final

_SPACE: Final = re.compile(r"[ \t\r\n]*+")
# A text, or what opens, parts or ends something; a lone quotation mark begins a text that never ends.
_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|["\[\]{},]', re.DOTALL)
# Escapes of JSON one by one, so that the second half of `\\ud83d` is not taken for one; first those that are whole.
_ESCAPE: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
# Halves as some programs encode them, which is no UTF-8.
_ENCODED_HALF: Final = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_string: Final = json.JSONDecoder()
_MOST_DIGITS: Final = 400  # of which no float is as large


def parse_integer(digits: str) -> float | int:
    """Return the number; infinity for one of so many digits that Python refuses to read it. For `json`'s parse_int."""
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def replace_lone_surrogates(text: bytes) -> bytes:
    """Return JSON in which half a character, where a text was cut, is U+FFFD, whether it is escaped or encoded."""
    text = _ENCODED_HALF.sub("\ufffd".encode(), text)
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], text)


def split_array(array: str) -> Iterator[str]:
    """Yield the elements of an array. Raises ValueError where it is none, or does not end."""
    return _between("[", "]", array)


def split_object(whole: str) -> dict[str, str]:
    """Return the members of an object. Raises ValueError where it is none, or does not end."""
    members = {}
    for member in _between("{", "}", whole):
        name, end = _string.raw_decode(member)
        colon = skip_whitespace(member, end)
        if not isinstance(name, str) or not member.startswith(":", colon):
            raise ValueError("a member has no name")
        members[name] = member[colon + 1 :].strip(" \t\r\n")
    return members


def find_value_end(text: str, at: int) -> int:
    """Return where the value ends that begins here. Raises ValueError where it does not end."""
    depth = 0
    for found in _TOKEN.finditer(text, at):
        mark = found[0]
        if depth == 0 and mark in {",", "]", "}"}:
            return found.start()
        depth += _step(mark)
        if depth == 0:
            return found.end()
    raise ValueError("it does not end")


def skip_whitespace(text: str, at: int) -> int:
    """Return where the next character stands that is no white space."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _step(mark: str) -> int:
    if mark == '"':
        raise ValueError("a text does not end")
    return 1 if mark in {"[", "{"} else -1 if mark in {"]", "}"} else 0


def _between(opens: str, closes: str, text: str) -> Iterator[str]:
    """What stands between the commas of an array or an object."""
    begin = skip_whitespace(text, 0)
    if not text.startswith(opens, begin):
        raise ValueError(f"{opens} is missing")
    begin, depth = begin + 1, 0
    for found in _TOKEN.finditer(text, begin):
        mark = found[0]
        if depth == 0 and mark in {",", "]", "}"}:
            if part := text[begin : found.start()].strip(" \t\r\n"):
                yield part
            begin = found.end()
            if mark != ",":
                if mark != closes or skip_whitespace(text, begin) != len(text):
                    raise ValueError("something stands after it")
                return
        else:
            depth += _step(mark)
    raise ValueError("it does not end")
