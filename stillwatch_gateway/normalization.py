"""One spelling for each id, so that the register, usage, restrictions and gateways mean the same customer by it."""

from unicodedata import normalize


def normalize_id(text: str) -> str:
    """Return an id without white space around it and in Unicode's composed form (NFC); its case stays."""
    text = text.strip()
    return text if text.isascii() else normalize("NFC", text)


def normalize_digest(text: str) -> str:
    """Return the digest of an API key, which is hexadecimal, in lower case."""
    return text.strip().lower()


def name_of(kind: str, value: str) -> str:
    """Return a name as restrictions are held under it, such as "account:acct_1042"."""
    return f"{kind}:{normalize_digest(value) if kind == 'digest' else normalize_id(value)}"


def normalize_name(name: str) -> str:
    """Return a name that was given with its kind, such as "account:acct_1042", as restrictions are held under it."""
    kind, _, value = name.partition(":")
    return name_of(kind, value)
