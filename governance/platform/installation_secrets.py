"""Secrets made once for an installation that runs on the embedded servers."""

import json
import os
import secrets
from errno import EPERM
from pathlib import Path
from typing import Final, NamedTuple

AUDIT_KEY_BYTES: Final = 32


class Secrets(NamedTuple):
    """`secret_key` signs sessions, `fingerprint_key` keys fingerprints, `excerpt_key` encrypts excerpts."""

    secret_key: str
    fingerprint_key: str
    excerpt_key: str


def get_or_create_secrets(data: Path) -> Secrets:
    """The secrets kept in `data`/secrets.json (mode 0600), made there the first time.

    Raises OSError where the folder cannot be written, or others than its owner may read the file.
    """
    file = data / "secrets.json"
    if not file.exists():
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = Secrets(*(secrets.token_urlsafe(48) for _ in Secrets._fields))
        _create(file, json.dumps(made._asdict()))
    return Secrets(**json.loads(read_private(file)))


def get_or_create_audit_keys(data: Path) -> list[str]:
    """The keys that sign the audit log, the newest first: `data`/audit-keys (mode 0600), made the first time.

    A file of its own, since an older release reads no secrets.json with more than it knows. Raises OSError as
    `get_or_create_secrets` does.
    """
    file = data / "audit-keys"
    if not file.exists():
        _create(file, f"{secrets.token_urlsafe(AUDIT_KEY_BYTES)}\n")
    return read_private(file).split()


def add_audit_key(data: Path) -> list[str]:
    """Put a new key before those that there are, and return all of them. Raises OSError."""
    keys = [secrets.token_urlsafe(AUDIT_KEY_BYTES), *get_or_create_audit_keys(data)]
    _write_draft(data / "audit-keys", "".join(f"{key}\n" for key in keys)).replace(data / "audit-keys")
    return keys


def _create(file: Path, text: str) -> None:
    """Written beside and linked, so that of two processes starting at once both read the same secrets."""
    draft = _write_draft(file, text)
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _write_draft(file: Path, text: str) -> Path:
    draft = file.with_name(f"{file.stem}.{os.getpid()}.tmp")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    return draft


def read_private(file: Path) -> str:
    """Return the text of a file that holds secrets.

    Raises PermissionError where others than its owner may read or change it, OSError where it cannot be read.
    """
    text = file.read_text()
    if file.stat().st_mode & 0o077:
        raise PermissionError(EPERM, "others can read these secrets; run chmod 600 on the file, and change them", file)
    return text
