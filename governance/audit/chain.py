"""How an entry becomes bytes (RFC 8785), a leaf of the published tree, and a link of the chain of hashes. Pure.

A leaf says when something was done and what (the verb). Who did it to whom, and each of the details, it has as
commitments: hashes over a salt and the value. So what is published tells nobody anything about a person, and whoever
holds the log can show one field of an entry, prove it, and keep the others to himself.
"""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypedDict

import msgspec
import rfc8785

from governance.audit.commitments import SALT_BYTES, commitment, field_salt

GENESIS = bytes(32)
LARGEST_EXACT_INTEGER = 2**53
PUBLISHED: Final = ("at", "number", "verb")
FIRST_BYTE_OF_SURROGATES: Final = 0xED  # of U+D800, in UTF-8
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class OpenedField(TypedDict):
    """A field as it is shown to others: the hash over its salt (hexadecimal) and its value as canonical JSON is the
    commitment of the leaf.
    """

    salt: str
    value: Any


class Field(NamedTuple):
    """One field of an entry that a leaf commits to."""

    name: str
    salt: bytes
    value: Any

    @property
    def commitment(self) -> str:
        return commitment(self.salt, canonical_json(self.value))

    @property
    def opened(self) -> OpenedField:
        return {"salt": self.salt.hex(), "value": self.value}


def make_salt() -> bytes:
    """Return what keeps the values of one entry from being guessed."""
    return secrets.token_bytes(SALT_BYTES)


def canonical_json(value: object) -> bytes:
    """`value`, for which `check_exact` holds, as JSON in one possible way only, that of RFC 8785."""
    written = _ENCODER.encode(value)
    # RFC 8785 sorts the names of members by UTF-16, the encoder by UTF-8, a hundred times as fast as the library.
    # Only for characters from here on are the two orders not the same.
    if written.isascii() or max(written) < FIRST_BYTE_OF_SURROGATES:
        return written
    return rfc8785.dumps(value)  # type: ignore[arg-type]


def entry_hash(previous_hash: bytes, leaf: bytes) -> bytes:
    """The 32 bytes that bind an entry to everything before it."""
    return hashlib.sha256(previous_hash + leaf).digest()


def iter_fields(content: Mapping[str, Any], salt: bytes) -> Iterator[Field]:
    """Everything that an entry holds besides PUBLISHED: the actor, the subject, and `details.NAME` for each detail."""
    actor = {"id": content["actor_id"], "kind": content["actor_kind"], "name": content["actor_name"]}
    subject = {"id": content["subject_id"], "kind": content["subject_kind"]}
    details = {f"details.{name}": value for name, value in content["details"].items()}
    for name, value in {"actor": actor, "subject": subject, **details}.items():
        yield Field(name, field_salt(salt, name), value)


def encode_leaf(content: Mapping[str, Any], salt: bytes) -> bytes:
    """Return the leaf of an entry in the published tree."""
    commitments = {field.name: field.commitment for field in iter_fields(content, salt)}
    return canonical_json({**{name: content[name] for name in PUBLISHED}, "commitments": commitments})


def format_time(at: datetime) -> str:
    """`at` as RFC 3339 in UTC with six decimals."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def check_exact(value: object) -> None:
    """Raises TypeError for floats and other values that do not survive a database and a parser unchanged."""
    match value:
        case None | bool() | str():
            return
        case int() if abs(value) < LARGEST_EXACT_INTEGER:
            return
        case Mapping():
            for key, member in value.items():
                if not isinstance(key, str):
                    raise TypeError(f"A key of the log must be text, not {type(key).__name__}.")
                check_exact(member)
        case list() | tuple():
            for member in value:
                check_exact(member)
        case _:
            raise TypeError(f"The log takes text, whole numbers, truth values and null, not {type(value).__name__}.")
