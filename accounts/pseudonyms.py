"""What stays of a person's card, domain or name after an erasure: a pseudonym, the same for the same value. Pure.

So accounts that shared something still share it, and links that were found stay. What is a pseudonym already stays as
it is.
"""

import hmac
import re
from hashlib import blake2b, sha256
from typing import Final

ERASED: Final = "erased-"
_OF_A_CARD: Final = re.compile(rf"{ERASED}([0-9a-f]{{16}})")
_WORD: Final = 2**64


def card_digest(card: str) -> int:
    """Return the 64-bit number by which accounts on one card find each other; of a pseudonym that of its card.

    >>> card_digest(card_pseudonym("card_1")) == card_digest("card_1")
    True
    """
    if (erased := _OF_A_CARD.fullmatch(card)) is not None:
        number = int(erased[1], 16)
        return number - _WORD if number >= _WORD // 2 else number
    return int.from_bytes(blake2b(card.lower().encode(), digest_size=8).digest(), "big", signed=True)


def card_pseudonym(card: str) -> str:
    """Return what is kept of a card; nothing where there is none."""
    return f"{ERASED}{card_digest(card) % _WORD:016x}" if card else ""


def pseudonym(text: str, *, key: bytes) -> str:
    """Return what is kept of a name or a domain, which without `key` nobody can find by trying; nothing of nothing."""
    if not text or text.startswith(ERASED):
        return text
    return ERASED + hmac.new(key, text.lower().encode(), sha256).hexdigest()[:16]
