"""The fixed words around a payload, as well as a single event can tell. Pure.

A wrapper stands at the start (`Translate into French: …`), at the end (`… Explain every step.`), at both, or in the
system prompt; what is longest is the payload. What varies inside a wrapper is masked: numbers, quotations, tags.
"""

import re
from functools import lru_cache
from typing import Final

from governance.usage.prompts import Prompt

WORDS: Final = 6
CHARS: Final = 120
LABEL_CHARS: Final = 60

_VARIABLE: Final = re.compile(r"\d+|\"[^\"]*\"?|“[^”]*”?|«[^»]*»?|`[^`]*`?|<[^>]*>")
_VARIES: Final = re.compile(r"[\d\"“«`<]")
_LABEL_ENDS: Final = frozenset(":=-])>#*")


def extract_template(prompt: Prompt) -> str:
    """How its system prompt and its question begin and how the question ends: `system|opening|closing`."""
    asked = prompt.asked
    system = _opening_of_system(prompt.system) if prompt.system else ""
    lines = [line for line in asked.split("\n") if line and not line.isspace()] if "\n" in asked else ()
    if len(lines) < 2:
        return f"{system}|{_opening(asked)}|"
    first, last = lines[0], lines[-1]
    lengths = [*map(len, lines)]
    longest = max(lengths)
    payload = lengths.index(longest)
    opening = _opening(first) if payload != 0 or first.find(":", 0, LABEL_CHARS) > 0 else ""
    closing = _closing(last) if payload != len(lines) - 1 and _closes(asked, last) else ""
    return f"{system}|{opening}|{closing}" if opening or closing else f"{system}|{_opening(first)}|"


def _opening(text: str) -> str:
    """The first words, or all of them up to a colon that comes soon."""
    start = text[:CHARS].lower()
    label, colon, _ = start.partition(":")
    words = label.split()
    if not colon or len(words) > 2 * WORDS:
        words = start.split(None, WORDS)[:WORDS]
    return _masked(words)


# Accounts have few system prompts, and send them with every request.
_opening_of_system: Final = lru_cache(maxsize=4096)(_opening)


def _closing(line: str) -> str:
    return _masked(line[-CHARS:].lower().split()[-WORDS:])


def _masked(words: list[str]) -> str:
    text = " ".join(words)
    return _VARIABLE.sub("#", text) if _VARIES.search(text) else text


def _closes(asked: str, line: str) -> bool:
    """Whether the last line is a wrapper's and not just the payload's end: a label, or its own paragraph."""
    line = line.rstrip()
    return line[-1:] in _LABEL_ENDS or "\n\n" in asked.rstrip()[-len(line) - 3 :]
