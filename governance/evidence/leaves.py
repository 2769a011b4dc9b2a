"""Usage events, and accounts on a day, as leaves of a sealed day. Pure.

A leaf of an event holds a commitment for each of its fields: a hash over a salt and the value, as entries of the audit
log do. So one field of an event can be shown and proved while the others are kept back. Salts follow from a secret of
the installation and the key of the event, and are stored nowhere.
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from governance.audit.chain import Field, canonical_json, format_time
from governance.audit.commitments import SALT_BYTES, field_salt
from governance.audit.stillwatch_verify import leaf_hash

KEY_BYTES: Final = 32
# The columns of an event that a leaf commits to, by field: together where one says little without the others.
SINGLE: Final = ("event_id", "source", "model", "operation", "status", "latency_ms", "api_key", "ip")
OF_CLIENT: Final = ("user_agent", "end_user", "conversation")
GROUPED: Final[Mapping[str, tuple[str, ...]]] = {
    "tokens": ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens"),
    "network": ("asn", "country"),
    "parameters": (
        *("temperature", "top_p", "n", "max_tokens", "logprobs", "top_logprobs", "seeded", "stream"),
        *("response_format", "tools"),
    ),
    "fingerprint": (
        *("prompt_digest", "template_digest", "system_digest", "sketch", "markers", "topic", "language"),
        *("prompt_chars", "asked_chars", "system_chars", "system_place", "turns"),
    ),
}
COLUMNS: Final = (*SINGLE, *OF_CLIENT, *(name for names in GROUPED.values() for name in names))
# What JSON does not say exactly is written as text: fractions, and whole numbers of 64 bits.
AS_TEXT: Final = frozenset({"temperature", "top_p", *GROUPED["fingerprint"][:5]})
_SINGLES: Final = len(SINGLE) + len(OF_CLIENT)


class StoredEvent(NamedTuple):
    """An event as it is read to be sealed: `values` are those of COLUMNS."""

    key: bytes
    account: str
    occurred_at: datetime
    values: Sequence[Any]


def derive_key(secret: bytes) -> bytes:
    """Return the key that salts are made with, from the secret that keys the fingerprints of prompts."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"stillwatch sealed usage").derive(secret)


def derive_event_salt(key: bytes, event_key: bytes) -> bytes:
    return hmac.digest(key, event_key, "sha256")[:SALT_BYTES]


def record_salt(key: bytes, *names: str) -> bytes:
    """Return the salt of something that is no event, such as what the register says of an account."""
    return hmac.digest(key, "\n".join(names).encode(), "sha256")[:SALT_BYTES]


def event_fields(event: StoredEvent) -> dict[str, Any]:
    """Return what a leaf commits to, by field."""
    values = [
        str(value) if name in AS_TEXT and value is not None else value
        for name, value in zip(COLUMNS, event.values, strict=True)
    ]
    fields = dict(zip((*SINGLE, *OF_CLIENT), values, strict=False))
    place = _SINGLES
    for name, columns in GROUPED.items():
        fields[name] = dict(zip(columns, values[place : place + len(columns)], strict=True))
        place += len(columns)
    return fields | {"account": event.account, "occurred_at": format_time(event.occurred_at.astimezone(UTC))}


def salted_event_fields(salt_key: bytes, event: StoredEvent) -> list[Field]:
    """Return the fields of an event, each with its salt."""
    return salted_fields(derive_event_salt(salt_key, event.key), event_fields(event))


def salted_fields(salt: bytes, fields: Mapping[str, Any]) -> list[Field]:
    """Return the fields of a record, each with its own salt, made of that of the record."""
    return [Field(name, field_salt(salt, name), value) for name, value in fields.items()]


def encode_leaf(fields: Sequence[Field]) -> bytes:
    """Return the leaf that commits to these fields."""
    return canonical_json({"commitments": {field.name: field.commitment for field in fields}})


def event_hasher(key: bytes) -> Callable[[StoredEvent], bytes]:
    """Return a function from an event to the hash of its leaf: what `encode_leaf` and `leaf_hash` give, but faster."""

    def hash_event(event: StoredEvent) -> bytes:
        salt = sha256(derive_event_salt(key, event.key))
        commitments = {}
        for name, value in event_fields(event).items():
            of_field = salt.copy()
            of_field.update(name.encode())
            commitments[name] = sha256(of_field.digest()[:SALT_BYTES] + canonical_json(value)).hexdigest()
        return leaf_hash(canonical_json({"commitments": commitments}))

    return hash_event


def encode_account_leaf(account: str, events: int, root: bytes) -> bytes:
    """Return the leaf of an account in the tree of a day."""
    return canonical_json({"account": account, "events": events, "root": root.hex()})
