"""What a leaf of the log holds in place of a field: a hash over a salt and the value. Pure, and for outsiders too."""

import hashlib

SALT_BYTES = 16


def field_salt(salt: bytes, name: str) -> bytes:
    """Return the salt of one field of an entry, which says nothing about those of the others."""
    return hashlib.sha256(salt + name.encode()).digest()[:SALT_BYTES]


def commitment(salt: bytes, written: bytes) -> str:
    """Return what a leaf holds in place of a field, whose value is written as canonical JSON."""
    return hashlib.sha256(salt + written).hexdigest()
