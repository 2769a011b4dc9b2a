"""Passkeys (WebAuthn): a key pair on the user's device, which asks for a finger, a face or a PIN before it signs.

So a passkey is two factors in one, and signs in without a password. django-allauth keeps the public keys and, by the
library fido2, checks what devices sign. The challenge of a sign-in is in a signed cookie, so that strangers leave no
sessions behind, and is taken once.
"""

import struct
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError

from governance.audit.verbs import Verb
from governance.platform.transactions import retried_transaction
from governance.staff.models import User
from governance.staff.second_factor import (
    Factor,
    ensure_recovery_codes,
    has_second_factor,
    is_first_use,
    record_factor,
    remove_second_factor,
)

CHALLENGE_WORKS_FOR: Final = timedelta(minutes=5)
PASSKEY: Final = "passkey"
# What allauth and fido2 raise for an answer that is malformed, or signed by another key.
_REFUSALS: Final = (
    *(ValidationError, ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError),
    *(struct.error, InvalidSignature, UnsupportedAlgorithm),
)

R = TypeVar("R")


class PasskeyRefusedError(Exception):
    """What the browser sent proves nothing: the key is unknown, the challenge old, or the answer malformed."""


def list_passkeys(user: User) -> list[Authenticator]:
    return list(Authenticator.objects.filter(user=user, type=Factor.WEBAUTHN).order_by("pk"))


def begin_passkey(user: User) -> dict[str, Any]:
    """Return what a browser needs to make a passkey. The challenge is kept in the session of the request."""
    options: dict[str, Any] = auth.begin_registration(user, True)  # noqa: FBT003 - allauth's signature
    return options


@retried_transaction
def add_passkey(user: User, name: str, credential: Mapping[str, Any], *, now: datetime) -> list[str]:
    """Add the passkey that a browser has made. Return new recovery codes, if the user had none.

    Raises PasskeyRefusedError.
    """
    User.objects.select_for_update().get(pk=user.pk)
    made = _checked(lambda: auth.complete_registration(dict(credential)))
    if not made.is_user_verified():
        raise PasskeyRefusedError
    auth.WebAuthn.add(user, name, dict(credential))
    record_factor(Verb.USER_FACTOR_ADDED, user, by=user.actor, now=now, factor=PASSKEY)
    return ensure_recovery_codes(user)


@retried_transaction
def remove_passkey(user: User, pk: int, *, now: datetime) -> bool:
    """Remove one passkey, and the recovery codes with the last factor. Return False if it was removed already."""
    User.objects.select_for_update().get(pk=user.pk)
    removed, _ = Authenticator.objects.filter(user=user, type=Factor.WEBAUTHN, pk=pk).delete()
    if removed and has_second_factor(user):
        record_factor(Verb.USER_FACTOR_REMOVED, user, by=user.actor, now=now, factor=PASSKEY)
    elif removed:
        remove_second_factor(user, by=user.actor, now=now)
    return bool(removed)


def begin_passkey_sign_in(session: SessionBase) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a browser needs to ask for any passkey of this site, and the challenge, for the cookie."""
    options: dict[str, Any] = auth.begin_authentication(None)
    challenge: dict[str, Any] = session.pop(auth.STATE_SESSION_KEY)
    return options, challenge


def check_passkey(
    session: SessionBase, credential: Mapping[str, Any], challenge: Mapping[str, Any], *, now: datetime
) -> User:
    """Return the active user whose passkey signed the challenge. Raises PasskeyRefusedError."""
    session[auth.STATE_SESSION_KEY] = dict(challenge)
    try:
        key = _checked(lambda: _signing_key(dict(credential)))
    finally:
        session.pop(auth.STATE_SESSION_KEY, None)
    user: User = key.user
    if not user.is_active or not is_first_use(str(challenge["challenge"]), now=now, works_for=CHALLENGE_WORKS_FOR):
        raise PasskeyRefusedError
    Authenticator.objects.filter(pk=key.pk).update(last_used_at=now)
    return user


def _signing_key(credential: dict[str, Any]) -> Authenticator:
    answer = auth.parse_authentication_response(credential)
    key = auth.complete_authentication(auth.extract_user_from_response(credential), credential)
    if not answer.response.authenticator_data.is_user_verified():
        raise PasskeyRefusedError
    return key


def _checked(check: Callable[[], R]) -> R:
    """Return what `check` returns. Raises PasskeyRefusedError where it refuses what the browser sent."""
    try:
        return check()
    except _REFUSALS as error:
        raise PasskeyRefusedError from error
