"""Secrets made once for an installation that runs on the embedded servers."""

import json
import os
import secrets
from errno import EPERM
from pathlib import Path
from typing import NamedTuple


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
        # Written beside and linked, so that of two processes starting at once both read the same secrets.
        draft = data / f"secrets.{os.getpid()}.tmp"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(made._asdict(), out)
        try:
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return Secrets(**json.loads(read_private(file)))


def read_private(file: Path) -> str:
    """Return the text of a file that holds secrets.

    Raises PermissionError where others than its owner may read or change it, OSError where it cannot be read.
    """
    text = file.read_text()
    if file.stat().st_mode & 0o077:
        raise PermissionError(EPERM, "others can read these secrets; run chmod 600 on the file, and change them", file)
    return text
