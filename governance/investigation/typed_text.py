"""What somebody may mean by what they typed into the search box. Pure."""

import re
import uuid
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, NamedTuple, TypeAlias

from accounts.normalization import normalize_address, normalize_domain, normalize_id

Network: TypeAlias = IPv4Network | IPv6Network

_DIGEST: Final = re.compile(r"(?:sha-?256:)?([0-9a-f]{64})", re.IGNORECASE)
_NUMBER: Final = re.compile(r"(?:#|no\.?)?\s*([0-9]{1,18})", re.IGNORECASE)
_DOMAIN: Final = re.compile(r"[^\s@/]+\.[^\s@/.]{2,}")
_WORD: Final = re.compile(r"[^\W_]+")
# Shorter ones begin too many words.
LEAST_LETTERS: Final = 2


class TypedText(NamedTuple):
    """`text` as it may be an id or begin one; the others are None or empty where it is no such thing.

    `identifier` is one of ours: of a case, a decision or a campaign. `number` is that of a restriction, `words` may
    begin the words of a name.
    """

    text: str
    identifier: uuid.UUID | None
    number: int | None
    network: Network | None
    domain: str
    digest: bytes | None
    words: tuple[str, ...]


def read_typed_text(text: str) -> TypedText:
    """Return what the text may be.

    >>> read_typed_text("Mira@Harbour.Example").domain, str(read_typed_text("203.0.113.9/24").network)
    ('harbour.example', '203.0.113.0/24')
    """
    text = normalize_id(text)
    identifier = None
    with suppress(ValueError):
        identifier = uuid.UUID(text)
    digest, number = _DIGEST.fullmatch(text), _NUMBER.fullmatch(text)
    network = _network(text)
    return TypedText(
        text=text,
        identifier=identifier,
        number=int(number[1]) if number else None,
        network=network,
        domain="" if network else _domain(text),
        digest=bytes.fromhex(digest[1]) if digest else None,
        words=tuple(word for word in _WORD.findall(text) if len(word) >= LEAST_LETTERS),
    )


def _network(text: str) -> Network | None:
    """An address, with or without its port, or a network: a single address is a network of one."""
    if "." not in text and ":" not in text:
        return None  # a number is no address
    with suppress(ValueError):
        return ip_network(normalize_address(text))
    with suppress(ValueError):
        return ip_network(text, strict=False)
    return None


def _domain(text: str) -> str:
    host = text.rpartition("@")[2].strip().rstrip(".")
    return normalize_domain(host) if _DOMAIN.fullmatch(host) else ""
