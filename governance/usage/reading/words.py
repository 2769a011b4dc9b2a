"""The words of a text. Pure."""

from collections.abc import Sequence
from typing import Final

LONG_WORD_BYTES: Final = 30

# NUL parts one text from the next, and stands in none (see `governance.usage.prompts`).
_BETWEEN: Final = "\0"
_SPACED: Final = bytes(v if v in {0, *range(128, 256)} or chr(v).isalnum() else ord(" ") for v in range(256))


def split_words(texts: Sequence[str]) -> list[list[bytes]]:
    """Return the words of each text, in lower case, as UTF-8; long words of scripts without spaces are cut into pieces.

    >>> split_words(["Good morning, world!"])
    [[b'good', b'morning', b'world']]
    """
    words = [
        *map(
            bytes.split,
            _BETWEEN.join(texts).lower().encode(errors="replace").translate(_SPACED).split(_BETWEEN.encode()),
        )
    ]
    for place, text in enumerate(texts):
        if not text.isascii() and max(map(len, words[place]), default=0) > LONG_WORD_BYTES:
            words[place] = [piece for word in words[place] for piece in _pieces(word)]
    return words


def _pieces(word: bytes) -> list[bytes]:
    """Scripts without spaces give long words; they are cut into pieces of about two characters."""
    return [word] if len(word) <= LONG_WORD_BYTES else [word[at : at + 6] for at in range(0, len(word), 6)]
