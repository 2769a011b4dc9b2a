"""The fixed words around a payload, as well as a single event can tell. Pure.

A wrapper stands at the start (`Translate into French: …`), at the end (`… Explain every step.`), at both, or in the
system prompt; what is longest is the payload. What varies inside a wrapper is masked: numbers, quotations, tags.
"""

import re
from functools import lru_cache
from typing import Final

from governance.usage.prompts import Prompt

WORDS: Final = 6
# Words of an opening and of a closing, and the characters of a line that are read for them.
EDGE_WORDS: Final = 5
EDGE_CHARS: Final = 400
# A single line of more words than this has a closing as well as an opening.
LONG_LINE_WORDS: Final = 10
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


def extract_edges(asked: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    r"""Return how what was asked opens and how it closes, in lower case, numbers and quotations masked.

    Those are the first five words of its first line and the last five of its last, and, where it has several lines, the
    whole of both: the former tie what differs in its payload, the latter tell wrappers apart that begin alike. Unlike
    the template they leave the system prompt out, so a harvest that gives each account a system prompt of its own still
    opens and closes its prompts in the same words.

    >>> openings, closings = extract_edges("Answer the following at some length:\n\nWhy?\n\nThink of all 12 steps.")
    >>> openings
    ('answer the following at some', 'answer the following at some length:\n')
    >>> closings
    ('think of all # steps.', 'think of all # steps.\n')
    """
    text = asked.strip()
    first, several, _ = text.partition("\n")
    words = _VARIABLE.sub("#", first[:EDGE_CHARS].lower()).split()
    if not words:
        return (), ()
    opening = " ".join(words[:EDGE_WORDS])
    if not several and len(words) <= LONG_LINE_WORDS:
        return (opening,), ()
    last = _VARIABLE.sub("#", text[text.rfind("\n") + 1 :][-EDGE_CHARS:].lower()).split()
    closing = " ".join(last[-EDGE_WORDS:])
    if not several:
        return (opening,), (closing,)
    # A line break keeps a whole line apart from an edge of the same words.
    return (opening, f"{' '.join(words)}\n"), (closing, f"{' '.join(last)}\n")


def _opening(text: str) -> str:
    """The first words, or all of them up to a colon that comes soon."""
    start = text[:CHARS].lower()
    label, colon, _ = start.partition(":")
    words = label.split()
    if not colon or len(words) > 2 * WORDS:
        words = start.split(None, WORDS)[:WORDS]
    return _mask(words)


# Accounts have few system prompts, and send them with every request.
_opening_of_system: Final = lru_cache(maxsize=4096)(_opening)


def _closing(line: str) -> str:
    return _mask(line[-CHARS:].lower().split()[-WORDS:])


def _mask(words: list[str]) -> str:
    text = " ".join(words)
    return _VARIABLE.sub("#", text) if _VARIES.search(text) else text


def _closes(asked: str, line: str) -> bool:
    """Whether the last line is a wrapper's and not just the payload's end: a label, or its own paragraph."""
    line = line.rstrip()
    return line[-1:] in _LABEL_ENDS or "\n\n" in asked.rstrip()[-len(line) - 3 :]
