"""Fingerprints of texts."""

from typing import Any

from governance.usage.fingerprint import (
    Fingerprint,
    fingerprint,
)

KEY = b"a secret of thirty-two characters"


def asked(text: Any, *, system: str | None = None) -> Fingerprint:
    messages = [{"role": "system", "content": system}] if system else []
    taken = fingerprint(messages=[*messages, {"role": "user", "content": text}], key=KEY)
    assert taken is not None
    return taken
