"""Read JSON that is nested deeper than the parser allows: the deep parts are cut out."""

import re
from typing import Final

# Nothing that is read here lies deeper.
DEEPEST: Final = 64
# Some 0.2 seconds of work. A body with more is refused.
MOST_BRACKETS: Final = 1_000_000
# The next bracket outside of strings, or else a string that never ends, or the end, or a thousand strings further. It
# matches wherever it is tried and its quantifiers are possessive: each byte is looked at once, whatever the input. It
# stops after so many strings since no other thread runs during a match.
NEXT_BRACKET: Final = re.compile(
    rb'(?:[^"\[\]{}]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"){0,1000}+([\[\]{}]|"(?![^"\\]*+(?:\\.[^"\\]*+)*+")|\Z|)', re.DOTALL
)


class TooManyBracketsError(ValueError):
    """There are more brackets than can be looked at in reasonable time."""


def replace_deep_values(document: bytes, *, deepest: int = DEEPEST, deepest_array: int = DEEPEST) -> bytes:
    """Return the document with every array and object that lies deeper than `deepest` replaced by null, and every
    array deeper than `deepest_array`.

    What is no JSON stays so outside of what is replaced. Raises TooManyBracketsError.
    """
    kept, copied_to, depth, cut_at, brackets = [], 0, 0, 0, 0
    for found in NEXT_BRACKET.finditer(document):
        start, end = found.span(1)
        if start == end:  # after so many strings, or at the end
            continue
        brackets += 1
        if brackets > MOST_BRACKETS:
            raise TooManyBracketsError(f"The body has more than {MOST_BRACKETS:,} brackets.")
        bracket = found[1]
        if bracket == b'"':
            break
        if bracket in b"[{":
            depth += 1
            if not cut_at and depth > (deepest_array if bracket == b"[" else deepest):
                cut_at = depth
                kept.append(document[copied_to:start])
        else:
            if cut_at and depth == cut_at:
                kept.append(b"null")
                copied_to, cut_at = end, 0
            depth -= 1
    if not cut_at:  # else it never closes, and cannot be read anyway
        kept.append(document[copied_to:])
    return b"".join(kept)
