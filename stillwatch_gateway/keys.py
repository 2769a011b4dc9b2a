"""Find the API keys in a request: every text in its headers that an application may accept as one."""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any, Final

from stillwatch_gateway.naming import MOST_COMMAS, adjacent_values, comma_spacings, split_header_values

# More than any credential has; each costs a few digests.
MOST_WORDS: Final = 64
MOST_SEPARATORS: Final = 4  # behind a key

# What applications and their customers write around a key, as in `Bearer: "sk-1";`.
_SEPARATORS: Final = tuple("\"'`;:=<>()[]{}")
_SEPARATOR: Final = re.escape("".join(_SEPARATORS))
_PLAIN_KEY: Final = r"[A-Za-z0-9._~+/-]+"
_PLAIN: Final = re.compile(_PLAIN_KEY)
_PLAIN_BEARER: Final = re.compile(f"(?i:bearer) ({_PLAIN_KEY})")
_START: Final = re.compile(rf"(?:^|(?<=[\s,{_SEPARATOR}]))[^\s,]")
_WORD: Final = re.compile(r"[^\s,]+")
_PART: Final = re.compile(rf"[^\s,{_SEPARATOR}]+")


class UnreadableKeysError(ValueError):
    """A header has more words than are looked at, any of which may be a key."""


def bearer_token(authorization: str) -> str | None:
    """The secret of `Authorization: Bearer …`."""
    words = authorization.split(None, 1)
    return words[1].strip() if len(words) == 2 and words[0].lower() == "bearer" else None


def digest(secret: str) -> str:
    """The SHA-256 of an API key as it came in a header, in hexadecimal: how it is registered."""
    return hashlib.sha256(secret.encode("latin-1", "replace")).hexdigest()


def shows_token(authorization: str) -> bool:
    """Whether there is a bearer token, or a value without a scheme, among those of Authorization."""
    return any(
        bearer_token(value) or (value.lower() != "bearer" and len(value.split()) == 1)
        for value in split_header_values(authorization)
    )


def shown_keys(authorization: str, api_key: str) -> list[str]:
    """The digest of every API key that a request may show, as a bearer token or as X-Api-Key; "" is a header not sent.

    An application behind a gateway may go by any of them, may not ask for the scheme, and may take X-Api-Key with one.
    Raises UnreadableKeysError.
    """
    shown: list[str] = []
    if authorization:
        plain = _PLAIN_BEARER.fullmatch(authorization)  # as nearly always
        shown += [plain[1]] if plain else _possible_keys(authorization)
    if api_key:
        shown += [api_key] if _PLAIN.fullmatch(api_key) else _possible_keys(api_key)
    return [digest(secret) for secret in dict.fromkeys(shown) if secret]


def by_key(headers: Mapping[str, str]) -> Mapping[str, Any]:
    """The API keys that a request shows; the names of headers are in lower case, several values joined with commas.

    Raises UnreadableKeysError.
    """
    first, *others = shown_keys(headers.get("authorization", ""), headers.get("x-api-key", "")) or (None,)
    return {"digest": first, "also": [f"digest:{other}" for other in others]}


def _possible_keys(value: str) -> Iterator[str]:
    """Every text of a header that may be a key: from any place where one may begin, over up to four words or values.

    Raises UnreadableKeysError.
    """
    starts = [found.start() for found in _START.finditer(value)]
    if len(starts) > MOST_WORDS:
        raise UnreadableKeysError(f"The headers that show API keys have more than {MOST_WORDS} words.")
    ends = [found.end() for found in _WORD.finditer(value)]
    for start in starts:
        if found := _PART.match(value, start):
            yield found[0]
        first = bisect_right(ends, start)
        for end in ends[first : first + MOST_COMMAS + 1]:
            for text in comma_spacings(value[start:end]):
                yield from _without_quotes(text)
        yield from _without_quotes(value[start:])
    for text in adjacent_values(value, starts):
        yield from _without_quotes(text)


def _without_quotes(text: str) -> Iterator[str]:
    """A text, and without the quotes and separators behind it, taken off one by one."""
    text = text.strip()
    yield text
    for _ in range(MOST_SEPARATORS):
        if not text.endswith(_SEPARATORS):
            return
        text = text[:-1].rstrip()
        yield text
