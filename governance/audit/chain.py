"""How an entry becomes bytes (RFC 8785), a leaf of the published tree, and a link of the chain of hashes. Pure."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import rfc8785

GENESIS = bytes(32)
LARGEST_EXACT_INTEGER = 2**53
LONGEST_LEAF: Final = 0xFFFF  # bytes: tlog-tiles writes the length of an entry in two
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_BEYOND: Final = re.compile("[\U00010000-\U0010ffff]")


def canonical_json(content: Mapping[str, Any]) -> bytes:
    """`content` as JSON in one possible way only, that of RFC 8785.

    Raises TypeError for floats and other values that do not survive a database and a parser unchanged.
    """
    _refuse_inexact(content)
    written = _ENCODER.encode(content)
    # Python's own encoder is many times as fast. It differs by how it sorts keys with characters beyond U+FFFF.
    return rfc8785.dumps(dict(content)) if _BEYOND.search(written) else written.encode()


def entry_hash(previous_hash: bytes, canonical: bytes) -> bytes:
    """The 32 bytes that bind an entry, as canonical JSON, to everything before it."""
    return hashlib.sha256(previous_hash + canonical).digest()


def make_leaf(canonical: bytes, content: Mapping[str, Any]) -> bytes:
    """Return the leaf of an entry in the published tree: its canonical JSON.

    For an entry too long to be published its `details` are replaced by `details_digest`, the length and SHA-256 of
    their canonical JSON.
    """
    if len(canonical) <= LONGEST_LEAF:
        return canonical
    details = canonical_json(content["details"])
    digest = {"bytes": len(details), "sha256": hashlib.sha256(details).hexdigest()}
    others = {name: value for name, value in content.items() if name != "details"}
    return canonical_json({**others, "details_digest": digest})


def format_time(at: datetime) -> str:
    """`at` as RFC 3339 in UTC with six decimals."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _refuse_inexact(value: object) -> None:
    match value:
        case None | bool() | str():
            return
        case int() if abs(value) < LARGEST_EXACT_INTEGER:
            return
        case Mapping():
            for key, member in value.items():
                if not isinstance(key, str):
                    raise TypeError(f"A key of the log must be text, not {type(key).__name__}.")
                _refuse_inexact(member)
        case list() | tuple():
            for member in value:
                _refuse_inexact(member)
        case _:
            raise TypeError(f"The log takes text, whole numbers, truth values and null, not {type(value).__name__}.")
