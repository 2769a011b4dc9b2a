"""JSON that is nested deeper than parsers go: what lies deep is cut out, and the rest is read."""

import re
from typing import Final

# Nothing that is read here lies deeper.
DEEPEST: Final = 64
# Some 0.2 seconds of work. A body with more is refused.
MOST_BRACKETS: Final = 1_000_000
# The next bracket outside of strings, or else a string that never ends, or the end. It matches wherever it is tried and
# its quantifiers are possessive: each byte is looked at once, whatever the input.
NEXT_BRACKET: Final = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+([\[\]{}]|"|\Z)', re.DOTALL)


class TooManyBracketsError(ValueError):
    """There are more brackets than can be looked at in reasonable time."""


def cut_deep(document: bytes) -> bytes:
    """Return the document with every array and object that lies deeper than `DEEPEST` replaced by null.

    What is no JSON stays so. Raises TooManyBracketsError.
    """
    kept, copied_to, depth = [], 0, 0
    for count, found in enumerate(NEXT_BRACKET.finditer(document)):
        if count == MOST_BRACKETS:
            raise TooManyBracketsError(f"The body has more than {MOST_BRACKETS:,} brackets.")
        start, end = found.span(1)
        if found[1] in {b"", b'"'}:
            break
        if found[1] in b"[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept.append(document[copied_to:start])
        else:
            if depth == DEEPEST + 1:
                kept.append(b"null")
                copied_to = end
            depth -= 1
    if depth <= DEEPEST:  # else it never closes them, and cannot be read anyway
        kept.append(document[copied_to:])
    return b"".join(kept)
