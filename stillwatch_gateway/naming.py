"""Who a request comes from: the names by which Stillwatch knows customers, read from what a gateway sees of them; and
the name of whoever answers it.
"""

import hashlib
import os
import secrets
import socket
from collections.abc import Mapping
from typing import Final

# What LiteLLM writes where there is no team, user or key of a customer.
LITELLMS_OWN: Final = frozenset(
    {
        "default_user_id",  # whoever made a key for nobody in particular
        "litellm-cli",
        "litellm-dashboard",
        "litellm-internal-health-check",
        "litellm_proxy_master_key",
    }
)


def this_process() -> str:
    """A name that no process before has had, since what is told under one is taken for the same process."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def bearer(authorization: str) -> str | None:
    """The secret of `Authorization: Bearer …`."""
    return (authorization[7:].strip() or None) if authorization[:7].lower() == "bearer " else None


def digest(secret: str) -> str:
    """The SHA-256 of an API key as it came in a header, in hexadecimal: how it is registered."""
    return hashlib.sha256(secret.encode("latin-1", "replace")).hexdigest()


def by_key(headers: Mapping[str, str]) -> Mapping[str, str | None]:
    """Whoever shows this API key, as a bearer token or as X-Api-Key; the names of headers are in lower case."""
    secret = bearer(headers.get("authorization", "")) or headers.get("x-api-key")
    return {"digest": digest(secret) if secret else None}


def litellm_account(team: str | None, user: str | None, key: str | None) -> str | None:
    """The account behind a request to LiteLLM; None where it is LiteLLM's own.

    It is who has a budget, who can be blocked, and who stays when people come and go: the team; without one the user;
    without either the key.
    """
    return next((name for name in (team, user, lasting(key)) if name and name not in LITELLMS_OWN), None)


def lasting(key: str | None) -> str | None:
    """LiteLLM's hash of a key, unless it is that of a token signed for an hour."""
    return None if key is None or key.startswith("hashed-jwt-") else key
