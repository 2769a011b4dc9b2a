"""Digests that only two partners can make: HMAC-SHA256 (RFC 2104) with a key that they share. Pure.

A plain digest of a card or a domain is no secret, since whoever has it can try every value there is. With a key of
their own for each two partners nobody else can, and what one partner is sent says nothing to another. A key carries the
number of its version, and so does each digest: after a change of the key, older digests are still understood.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Final, NamedTuple, Self

KEY_BYTES: Final = 32
_BLOCK: Final = 64
_PREFIX: Final = "swp"


class SharedKey(NamedTuple):
    """The text of it is what partners hand to each other, such as `swp1_…`: the version and 32 random bytes.

    >>> SharedKey.parse(str(SharedKey(3, bytes(32)))).version
    3
    """

    version: int
    key: bytes

    @classmethod
    def new(cls, version: int) -> Self:
        return cls(version, secrets.token_bytes(KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for anything but the text of a key."""
        head, _, body = text.strip().partition("_")
        number = head.removeprefix(_PREFIX)
        try:
            key = urlsafe_b64decode(f"{body}=")
        except ValueError:  # also of what is no Base64
            key = b""
        is_number = number.isascii() and number.isdecimal() and len(number) <= 4
        if not head.startswith(_PREFIX) or not is_number or len(key) != KEY_BYTES:
            raise ValueError("This is no shared key: it begins with swp, a number and _.")
        return cls(int(number), key)

    def __str__(self) -> str:
        return f"{_PREFIX}{self.version}_{urlsafe_b64encode(self.key).decode().rstrip('=')}"

    def digest(self, kind: str, value: str) -> str:
        """Return what a partner is sent instead of the value.

        >>> SharedKey(1, bytes(32)).digest("card", "CARD_1") == SharedKey(1, bytes(32)).digest("card", "card_1")
        True
        """
        return f"v{self.version}:{hmac.new(self.key, _message(kind, value), sha256).hexdigest()}"

    @property
    def pads(self) -> tuple[bytes, bytes]:
        """The inner and the outer block of HMAC, so that SQL can make the same digests of all accounts at once."""
        block = self.key.ljust(_BLOCK, b"\0")
        return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


def _message(kind: str, value: str) -> bytes:
    """Letters of ASCII in lower case, as SQL makes them too."""
    return f"{kind}:{value}".encode().lower()
