"""One spelling for each id, so that the register, usage, restrictions and gateways mean the same customer by it."""

from typing import Any, Final
from unicodedata import normalize

# How programs write down, as text, that there is nothing: Python, JSON and JavaScript. Nobody is called so.
_NONE: Final = frozenset({"none", "null", "undefined"})


def is_nothing(value: Any) -> bool:
    """Whether this is no id or other value, but nothing, however a program has written that."""
    return value is None or (isinstance(value, str) and (not value.strip() or says_none(value)))


def says_none(text: str) -> bool:
    """Whether a program has written down in words that it has no id."""
    return text.strip().lower() in _NONE


def normalize_id(text: str) -> str:
    """Return an id without white space around it and in Unicode's composed form (NFC); its case stays."""
    text = text.strip()
    return text if text.isascii() else normalize("NFC", text)


def normalize_digest(text: str) -> str:
    """Return the digest of an API key, which is hexadecimal, in lower case."""
    return text.strip().lower()


def name_of(kind: str, value: str) -> str:
    """Return a name as restrictions are held under it, such as "account:acct_1042"."""
    # Added, not formatted: so that bytes are refused, which nobody is called by.
    return kind + ":" + (normalize_digest(value) if kind == "digest" else normalize_id(value))


def normalize_name(name: str) -> str:
    """Return a name that was given with its kind, such as "account:acct_1042", as restrictions are held under it."""
    kind, _, value = name.partition(":")
    return name_of(kind, value)
