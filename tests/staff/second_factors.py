"""Authenticator apps of the people in tests."""

import time

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

from governance.staff.models import User
from governance.staff.second_factor import add_authenticator_app, new_app_secret
from tests.factories import NOW


def current_code(secret: str, *, later: int = 0) -> str:
    """What an app with this secret shows now, or so many half minutes later."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + later)))


def with_app(user: User) -> tuple[str, list[str]]:
    """Give somebody an authenticator app. Return its secret and the recovery codes."""
    secret = new_app_secret()
    return secret, add_authenticator_app(user, secret, current_code(secret), now=NOW)
