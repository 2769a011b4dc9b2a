"""Secrets made once for an installation that runs on the embedded servers."""

import json
import os
import secrets
from pathlib import Path
from typing import NamedTuple


class Secrets(NamedTuple):
    """`secret_key` signs sessions, `fingerprint_key` keys fingerprints, `excerpt_key` encrypts excerpts."""

    secret_key: str
    fingerprint_key: str
    excerpt_key: str


def installation_secrets(data: Path) -> Secrets:
    """The secrets kept in `data`/secrets.json (mode 0600), made there the first time.

    Raises OSError where the folder cannot be written.
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
    return Secrets(**json.loads(file.read_text()))
