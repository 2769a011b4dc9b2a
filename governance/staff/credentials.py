"""Signing in with e-mail and password: who may try how often, and what is written down.

Nobody can lock another person out. An attempt from a device on which the person signed in before is counted by that
device alone, one from a network they used before by person and network; only attempts from elsewhere, those of
strangers, share limits with other people's. Whether an address belongs to somebody makes no difference to a stranger:
same limits, same work, same answer.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.staff.attempts import (
    Limit,
    attempt_digest,
    count_attempt,
    period_start,
    refund_attempt,
    reserve_attempt,
)
from governance.staff.hashing import FOR_KNOWN, FOR_STRANGERS
from governance.staff.models import AttemptCount, SignInOrigin, User

ATTEMPTS_EACH: Final = 8  # a device, or a person and network, in 15 minutes
ATTEMPTS_OF_A_NETWORK: Final = 24  # of strangers, whomever they try to be
ATTEMPTS_AT_A_PERSON: Final = 24  # of strangers, from wherever they come
ORIGIN_KEPT_FOR: Final = timedelta(days=180)
STRANGERS_COUNTED_BY: Final = timedelta(hours=1)
NETWORKS_NAMED: Final = 50
DEVICE_BYTES: Final = 24
STRANGER: Final = Actor("staff", "", "somebody unknown")


class TooManyAttemptsError(Exception):
    """This origin has to wait, at most for a quarter of an hour."""


class ClientOrigin(NamedTuple):
    """From where somebody signs in. `device` is the secret in the browser's cookie, or empty."""

    network: str
    device: str


class _Attempt(NamedTuple):
    origin: ClientOrigin
    email: str
    user: User | None
    is_known: bool
    limits: Sequence[Limit]


def new_device_token() -> str:
    return secrets.token_urlsafe(DEVICE_BYTES)


def check_credentials(email: str, password: str, *, origin: ClientOrigin, now: datetime) -> User | None:
    """Return the active user with this e-mail address and password, or None.

    Raises TooManyAttemptsError, HashingBusyError.
    """
    attempt = _attempt(email, origin, now=now)
    if not reserve_attempt(attempt.limits, now=now):
        _note_failure(attempt, now=now, is_refused=True)
        raise TooManyAttemptsError
    with (FOR_KNOWN if attempt.is_known else FOR_STRANGERS).slot():
        if attempt.user is None:
            make_password(password)  # as much work as checking it
            is_right = False
        else:
            is_right = attempt.user.check_password(password)
    if attempt.user is None or not is_right or not attempt.user.is_active:
        _note_failure(attempt, now=now)
        return None
    refund_attempt(attempt.limits, now=now)
    return attempt.user


def remember_origin(user: User, origin: ClientOrigin, *, now: datetime) -> None:
    """Store this device and network as the user's own."""
    own = [
        (SignInOrigin.Kind.NETWORK, origin.network),
        (SignInOrigin.Kind.DEVICE, attempt_digest("device", origin.device)),
    ]
    SignInOrigin.objects.bulk_create(
        [SignInOrigin(user=user, kind=kind, value=value, last_used_at=now) for kind, value in own],
        update_conflicts=True,
        unique_fields=["user", "kind", "value"],
        update_fields=["last_used_at"],
    )


@transaction.atomic
def record_unknown_origin_failures(*, now: datetime) -> int:
    """Record one entry for each past hour in which sign-ins from unknown devices and networks failed, and delete what
    was counted then. Return how many entries.
    """
    hour = period_start(now, STRANGERS_COUNTED_BY)
    past = AttemptCount.objects.filter(kind=AttemptCount.Kind.STRANGERS, starts_at__lt=hour)
    by_hour: dict[datetime, dict[str, int]] = {}
    for one in past.select_for_update().order_by("starts_at", "-count", "key"):
        by_hour.setdefault(one.starts_at, {})[one.key] = one.count
    for starts_at, networks in by_hour.items():
        named = dict(list(networks.items())[:NETWORKS_NAMED])
        details = {
            "hour": starts_at.isoformat(),
            "attempts": sum(networks.values()),
            "networks": named,
            "further_networks": len(networks) - len(named),
        }
        record(Verb.SIGN_IN_STRANGERS_FAILED, subject=("sign_in", "strangers"), by=STRANGER, now=now, details=details)
    AttemptCount.objects.filter(starts_at__lt=hour).delete()
    return len(by_hour)


def delete_old_origins(*, now: datetime) -> None:
    """Forget the devices and networks from which nobody has signed in for long."""
    SignInOrigin.objects.filter(last_used_at__lt=now - ORIGIN_KEPT_FOR).delete()


def count_stranger(origin: ClientOrigin, *, now: datetime) -> None:
    """Count a failure of nobody known, of which the hour gets one entry."""
    count_attempt(AttemptCount.Kind.STRANGERS, origin.network, period_start(now, STRANGERS_COUNTED_BY))


def attempt_limits(email: str, origin: ClientOrigin, *, now: datetime) -> Sequence[Limit]:
    """Return what limits attempts to sign in as this person from there."""
    return _attempt(email, origin, now=now).limits


def _attempt(email: str, origin: ClientOrigin, *, now: datetime) -> _Attempt:
    email = email.lower()
    user = User.objects.filter(email=email).first()
    device = attempt_digest("device", origin.device)
    same = Q(kind=SignInOrigin.Kind.DEVICE, value=device) | Q(kind=SignInOrigin.Kind.NETWORK, value=origin.network)
    recent = SignInOrigin.objects.filter(user__email=email, last_used_at__gt=now - ORIGIN_KEPT_FOR)
    known = set(recent.filter(same).values_list("kind", flat=True))
    kind = AttemptCount.Kind
    here = Limit(kind.PERSON_AND_NETWORK, attempt_digest(email, origin.network), ATTEMPTS_EACH)
    if SignInOrigin.Kind.DEVICE in known:
        limits = [Limit(kind.DEVICE, attempt_digest(email, device), ATTEMPTS_EACH)]
    elif SignInOrigin.Kind.NETWORK in known:
        limits = [here]
    else:
        everywhere = Limit(kind.PERSON, attempt_digest(email), ATTEMPTS_AT_A_PERSON)
        limits = [Limit(kind.NETWORK, origin.network, ATTEMPTS_OF_A_NETWORK), here, everywhere]
    return _Attempt(origin, email, user, bool(known), limits)


def _note_failure(attempt: _Attempt, *, now: datetime, is_refused: bool = False) -> None:
    """Strangers can fail as often as they like, so that they are counted; others, who have limits, leave an entry."""
    if not attempt.is_known:
        count_stranger(attempt.origin, now=now)
    elif not is_refused and attempt.user is not None:
        details = {"network": attempt.origin.network}
        with transaction.atomic():
            record(Verb.SIGN_IN_FAILED, subject=("sign_in", attempt.user.email), by=STRANGER, now=now, details=details)
