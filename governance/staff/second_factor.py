"""The second factor of a member of staff: codes of an authenticator app, and ten recovery codes that work once each.
A passkey is one as well (passkeys.py).

django-allauth keeps the secrets, encrypted by SecondFactorAdapter, and computes the codes (RFC 6238). What adds, uses
or removes a factor is here, with its entry in the same transaction.
"""

from datetime import datetime, timedelta
from string import digits
from typing import Final

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, validate_totp_code
from django.db import transaction
from django.db.models import Exists, OuterRef

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.platform.encryption import DecryptionError
from governance.platform.transactions import retried_transaction
from governance.staff.attempts import (
    PERIOD,
    attempt_digest,
    count_attempt,
    period_start,
    refund_attempt,
    reserve_attempt,
)
from governance.staff.credentials import ClientOrigin, TooManyAttemptsError, attempt_limits
from governance.staff.models import AttemptCount, User

Factor = Authenticator.Type

FACTORS: Final = (Factor.TOTP, Factor.WEBAUTHN)
# How long a code of an app is accepted: its own half minute, and one on either side for clocks that differ.
CODE_WORKS_FOR: Final = timedelta(seconds=90)


class WrongCodeError(Exception):
    """The code is none of the user's, or was used already."""


class FactorExistsError(Exception):
    """The user has an authenticator app already."""

    def __init__(self) -> None:
        super().__init__("You have added an authenticator app already. Remove it first.")


def has_second_factor(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def has_app(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type=Factor.TOTP).exists())


def with_second_factor(path: str) -> Exists:
    """For a query: whether the user whose id is at `path` has a second factor."""
    return Exists(Authenticator.objects.filter(user=OuterRef(path), type__in=FACTORS))


def count_recovery_codes(user: User) -> int:
    """Return how many recovery codes are left."""
    kept = Authenticator.objects.filter(user=user, type=Factor.RECOVERY_CODES).first()
    return len(RecoveryCodes(kept).get_unused_codes()) if kept else 0


def new_app_secret() -> str:
    """Return a new secret for an authenticator app, in base 32 as people type it."""
    return str(generate_totp_secret())


def app_address(user: User, secret: str) -> str:
    """Return the `otpauth:` address that an authenticator app reads from a picture."""
    return str(get_adapter().build_totp_url(user, secret))


def app_picture(address: str) -> str:
    """Return the picture of an address, as SVG."""
    return str(get_adapter().build_totp_svg(address))


@retried_transaction
def add_authenticator_app(user: User, secret: str, code: str, *, now: datetime) -> list[str]:
    """Make the app with this secret a second factor, as its code proves. Return new recovery codes, if there were none.

    Raises WrongCodeError, FactorExistsError.
    """
    User.objects.select_for_update().get(pk=user.pk)
    if has_app(user):
        raise FactorExistsError
    if not validate_totp_code(secret, _digits_of(code)):
        raise WrongCodeError
    TOTP.activate(user, secret)
    record_factor(Verb.USER_FACTOR_ADDED, user, by=user.actor, now=now, factor=Factor.TOTP.value)
    return ensure_recovery_codes(user)


@retried_transaction
def replace_recovery_codes(user: User, *, now: datetime) -> list[str]:
    """Return ten new recovery codes; those before work no more. An empty list for somebody without a second factor."""
    User.objects.select_for_update().get(pk=user.pk)
    if not has_second_factor(user):
        return []
    record_factor(Verb.USER_RECOVERY_CODES_MADE, user, by=user.actor, now=now)
    return _make_recovery_codes(user)


@retried_transaction
def remove_second_factor(user: User, *, by: Actor, now: datetime) -> bool:
    """Let a user sign in with the password alone, as when a device is lost. Return False if they did so already."""
    User.objects.select_for_update().get(pk=user.pk)
    removed, _ = Authenticator.objects.filter(user=user).delete()
    if removed:
        record_factor(Verb.USER_FACTOR_REMOVED, user, by=by, now=now)
    return bool(removed)


def check_second_factor(user: User, code: str, *, origin: ClientOrigin, now: datetime) -> str:
    """Return of which factor of the user this code is. It works no second time.

    Counted with the attempts at the password: who knows that of somebody else can guess no more codes than passwords,
    and keeps nobody out of the devices and networks from which they signed in before.
    Raises WrongCodeError, which leaves an entry, and TooManyAttemptsError.
    """
    limits = attempt_limits(user.email, origin, now=now)
    if not reserve_attempt(limits, now=now):
        raise TooManyAttemptsError
    factor = _matching_factor(user, code, now=now)
    if not factor:
        with transaction.atomic():
            record_factor(Verb.USER_FACTOR_REFUSED, user, by=user.actor, now=now)
        raise WrongCodeError
    refund_attempt(limits, now=now)
    return factor


def _matching_factor(user: User, code: str, *, now: datetime) -> str:
    typed = _digits_of(code)
    for factor in _with_codes(user):
        try:
            is_right = factor.wrap().validate_code(typed)
        except DecryptionError:
            continue  # SECRET_KEY was changed: an admin removes what cannot be read any more
        if is_right and factor.type == Factor.TOTP:
            is_right = is_first_use(f"{user.pk} {typed}", now=now, works_for=CODE_WORKS_FOR)
        if is_right:
            Authenticator.objects.filter(pk=factor.pk).update(last_used_at=now)
            return str(factor.type)
    return ""


def _digits_of(code: str) -> str:
    """Return a code without the blanks that people write between its digits."""
    return "".join(character for character in code if character in digits)


def _with_codes(user: User) -> list[Authenticator]:
    codes = (Factor.TOTP, Factor.RECOVERY_CODES)
    return list(Authenticator.objects.filter(user=user, type__in=codes).order_by("-type"))


def is_first_use(code: str, *, now: datetime, works_for: timedelta) -> bool:
    """Note that a code was used. In the database, since the same code may be sent to another process.

    Beside the end of a period it is noted in both, so that it is found again as long as it is accepted.
    """
    key = attempt_digest("code", code)
    periods = {period_start(now - works_for, PERIOD), period_start(now, PERIOD)}
    counts = [count_attempt(AttemptCount.Kind.USED_CODE, key, start) for start in sorted(periods)]
    return max(counts) == 1


def ensure_recovery_codes(user: User) -> list[str]:
    """Return new recovery codes for somebody who has none left, else an empty list."""
    return [] if count_recovery_codes(user) else _make_recovery_codes(user)


def _make_recovery_codes(user: User) -> list[str]:
    Authenticator.objects.filter(user=user, type=Factor.RECOVERY_CODES).delete()
    return list(RecoveryCodes.activate(user).generate_codes())


def record_factor(verb: Verb, user: User, *, by: Actor, now: datetime, **details: str) -> None:
    record(verb, subject=("user", str(user.pk)), by=by, now=now, details=details)
