"""How a prompt is written: as a complete task about nobody, or by a person in need. Pure.

A prompt of a data set is finished: it begins with a capital letter, asks for one thing, ends with a full stop, and
nobody appears in it. People write otherwise: they greet, mistype, say "I", and go on from the answer. Nothing here
proves anything about one prompt, and all of it can be imitated: detectors look at how an account's prompts divide, and
what speaks for an account is limited.

Lists are for English; other languages get few of these bits, and so little is said of them.
"""

from collections.abc import Sequence
from enum import IntFlag
from pathlib import Path
from typing import Final

from governance.usage.prompts import Prompt


class Manner(IntFlag):
    """What the words of a prompt, and the beginnings of its lines, say about it. Stored: never change a value."""

    FIRST_ASK = 1  # the user took the floor once
    COMPLETE = 2  # a complete task or question without a person in it
    IMPERATIVE = 4  # complete, and a line opens with an imperative
    PERSON = 8  # written by somebody in need, as far as that shows
    POLITE = 16  # greets, thanks or says please
    GIVEN = 32  # speaks of something given, above or below
    SUM = 64  # the form of an exercise: short, with figures, capital letter, not polite


MANNERS: Final = 128

ITEM_CHARS: Final = 700
PERSON_CHARS: Final = 300
SUM_CHARS: Final = 600
LINES_READ: Final = 12
LINE_CHARS: Final = 80
LABEL_CHARS: Final = 40
LEAST_WORDS: Final = 5
# Shares of words in many pieces: hardly any in an item; many where somebody mistypes or writes another language.
CLEAN: Final = 0.04
UNCLEAN: Final = 0.12
FOREIGN: Final = 0.02
FIGURES: Final = 0.01

IMPERATIVES: Final = frozenset((Path(__file__).parent / "imperatives.txt").read_text().split())

# As plain integers, since combining flags takes as long as everything else here.
_FIRST_ASK, _COMPLETE, _PERSON, _SUM = map(int, (Manner.FIRST_ASK, Manner.COMPLETE, Manner.PERSON, Manner.SUM))
_IS_POLITE, _GIVES, _INSTRUCTION = int(Manner.POLITE), int(Manner.GIVEN), int(Manner.COMPLETE | Manner.IMPERATIVE)

_BEFORE_IMPERATIVE: Final = frozenset({"please", "now", "then", "kindly"})
_FIRST_PERSON: Final = frozenset(b"i my me mine im ive we our us myself".split())
_POLITE: Final = frozenset(b"hi hello hey thanks thank please pls thx asap morning sorry help cheers".split())
_GIVEN: Final = frozenset(b"given following provided above below".split())
_BULLETS: Final = "#*->•0123456789.) \"'\t"
_DIGITS: Final = b"0123456789"


def read_manner(prompt: Prompt, words: Sequence[bytes], rare_share: float) -> int:
    """Return the manner of a prompt, the bits of `Manner`.

    Args:
        words: the words of `prompt.asked`, in lower case, as UTF-8.
        rare_share: share of words in many pieces, from 0 to 1; 0 where that is unknown.

    >>> from governance.usage.prompts import read_prompt
    >>> Manner(read_manner(read_prompt(None, "List five uses of salt."), b"list five uses of salt".split(), 0.0))
    <Manner.FIRST_ASK|COMPLETE|IMPERATIVE: 7>
    """
    text = prompt.asked.strip()
    if not text:
        return 0
    letters, first_ask = len(text), prompt.turns <= 1
    said = frozenset(words)
    capital = text[0].isupper() or (not text[0].isalpha() and _begins_with_capital(text))
    first_person = not _FIRST_PERSON.isdisjoint(said)
    polite = not (_POLITE.isdisjoint(words[:6]) and _POLITE.isdisjoint(words[-4:]))
    imperative = opens_with_imperative(text)
    manner = _FIRST_ASK if first_ask else 0
    if not _GIVEN.isdisjoint(said):
        manner |= _GIVES
    if polite:
        manner |= _IS_POLITE
    if (
        (first_person and letters < PERSON_CHARS)
        or polite
        or not (capital or imperative)
        or not first_ask
        or rare_share > UNCLEAN
        or prompt.asked[0].isspace()
        or " i " in text
    ):
        manner |= _PERSON
    if not capital or polite:
        return manner
    if first_ask and not first_person and letters <= ITEM_CHARS and rare_share < CLEAN and _is_ascii(text):
        if imperative:
            manner |= _INSTRUCTION
        elif text[-1] in ".?" and len(words) >= LEAST_WORDS:
            manner |= _COMPLETE
    if letters < SUM_CHARS and _digits(text) > FIGURES * letters:
        manner |= _SUM
    return manner


def opens_with_imperative(text: str) -> bool:
    """Return True if one of the first lines begins with an imperative, after bullets, a label or "please".

    >>> opens_with_imperative("Task: 1. Describe a river."), opens_with_imperative("A river.")
    (True, False)
    """
    lines = text.split("\n", LINES_READ)[:LINES_READ] if "\n" in text else (text,)
    for line in lines:
        start = line[:LINE_CHARS].lstrip(_BULLETS).lower()
        if _is_imperative(start):
            return True
        label = start.find(":", 0, LABEL_CHARS)
        if label > 0 and _is_imperative(start[label + 1 :].lstrip(_BULLETS)):
            return True
    return False


def _is_imperative(start: str) -> bool:
    first, _, rest = start.partition(" ")
    if first in _BEFORE_IMPERATIVE:
        first = rest.partition(" ")[0]
    return first.rstrip(".,:;!\r") in IMPERATIVES


def _begins_with_capital(text: str) -> bool:
    """Return True if the first letter of the text is a capital."""
    return next((letter for letter in text if letter.isalpha()), "").isupper()


def _digits(text: str) -> int:
    encoded = text.encode()
    return len(encoded) - len(encoded.translate(None, _DIGITS))


def _is_ascii(text: str) -> bool:
    """Return True if next to nothing is beyond ASCII: a dash or a quotation mark may be."""
    return text.isascii() or sum(letter > "\x7f" for letter in text) < FOREIGN * len(text)
