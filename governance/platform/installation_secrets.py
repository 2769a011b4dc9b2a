"""Secrets made once for an installation that runs on the embedded servers."""

import json
import os
import re
import secrets
from errno import EPERM
from pathlib import Path
from typing import Final, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from environs import Env

KEY_BYTES: Final = 32
_KEY: Final = re.compile(r"[\w-]{43}", re.ASCII)


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


class KeyRing(NamedTuple):
    """Keys of which the newest is used for what is new: those of a variable, or else those of a file.

    A file of its own, since an older release reads no secrets.json with more than it knows. `maker` is the command that
    makes one.
    """

    variable: str
    file: str
    maker: str


LOG_KEYS: Final = KeyRing("AUDIT_KEY", "audit-keys", "rotate_log_key")
PEPPERS: Final = KeyRing("SERVICE_KEY_PEPPER", "service-key-peppers", "rotate_pepper")


def read_keys(ring: KeyRing, env: Env, data: Path | None) -> list[str]:
    """Return the keys of the variable, the newest first; if it is not set those in `data`, made there the first time.

    Raises ImproperlyConfigured for what is no key, OSError as `get_or_create_secrets` does.
    """
    if data is None or ring.variable in os.environ:
        keys = [key for key in env.str(ring.variable, "").split(";") if key]
        if not all(_KEY.fullmatch(key) for key in keys):
            expected = f"keys that manage.py {ring.maker} made, semicolons between"
            raise ImproperlyConfigured(f"{ring.variable} must hold {expected}.")
        return keys
    return _kept(ring, data)


def add_key(ring: KeyRing, data: Path) -> list[str]:
    """Put a new key before those in the file, and return all of them. Raises OSError."""
    keys = [make_key(), *_kept(ring, data)]
    _write_draft(data / ring.file, "".join(f"{key}\n" for key in keys)).replace(data / ring.file)
    return keys


def _kept(ring: KeyRing, data: Path) -> list[str]:
    file = data / ring.file
    if not file.exists():
        _create(file, f"{make_key()}\n")
    return read_private(file).split()


def make_key() -> str:
    """Return a new key of 256 random bits."""
    return secrets.token_urlsafe(KEY_BYTES)


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
