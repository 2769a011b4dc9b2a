"""How the secret of a service key is written, and what is stored of it. Pure.

`swk_`, 43 letters and digits, and six that are the CRC-32 of all before them: scanners of leaked secrets know
one for certain, without asking anybody.
"""

import hashlib
import hmac
import secrets
import string
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

PREFIX: Final = "swk_"
SECRET_PATTERN: Final = "swk_[0-9A-Za-z]{49}"  # noqa: S105 - what scanners of leaked secrets look for
SHOWN_LETTERS: Final = 10
_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_LETTERS: Final = 43  # 256 bits
_CHECKSUM_LETTERS: Final = 6


def make_secret() -> str:
    """Return a new secret of 256 random bits."""
    random = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LETTERS))
    return random + _checksum(random)


def is_well_formed(secret: str) -> bool:
    """Return False for a text that is no secret that `make_secret` made, such as one with a letter changed."""
    return secret.startswith(PREFIX) and hmac.compare_digest(
        _checksum(secret[:-_CHECKSUM_LETTERS]).encode(), secret[-_CHECKSUM_LETTERS:].encode("utf-8", "replace")
    )


def _checksum(text: str) -> str:
    rest, letters = zlib.crc32(text.encode("utf-8", "replace")), ""
    for _ in range(_CHECKSUM_LETTERS):
        rest, digit = divmod(rest, len(_ALPHABET))
        letters = _ALPHABET[digit] + letters
    return letters


def secret_digest(secret: str) -> bytes:
    """Return the SHA-256 of a secret, which both sides know: the feed is signed with a key made of it."""
    return hashlib.sha256(secret.encode("latin-1", "replace")).digest()


def pepper_version(pepper: str) -> str:
    """Return which pepper this is, without giving it away."""
    return hashlib.sha256(f"service keys {pepper}".encode()).hexdigest()[:8]


def stored_digest(digest: bytes, pepper: str) -> bytes:
    """Return what is stored of a secret: a reader of the database can neither show it nor sign the feed with it."""
    return hmac.digest(pepper.encode(), digest, "sha256")


def iter_stored_digests(digest: bytes, peppers: Sequence[str]) -> Iterator[bytes]:
    """Yield what may be stored of a secret, the likeliest first; the plain digest is that of keys without a pepper."""
    for pepper in peppers:
        yield stored_digest(digest, pepper)
    yield digest
