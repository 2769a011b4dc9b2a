"""Changing one's own password."""

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from governance.audit.actions import record
from governance.audit.verbs import Verb
from governance.staff.attempts import Limit, attempt_digest, refund_attempt, reserve_attempt
from governance.staff.credentials import ATTEMPTS_EACH, TooManyAttemptsError
from governance.staff.hashing import FOR_KNOWN
from governance.staff.models import AttemptCount, SignInOrigin, User
from governance.staff.sessions import delete_sessions


class WrongPasswordError(Exception):
    """What was entered as the present password is another one."""


def check_own_password(user: User, password: str, *, now: datetime) -> None:
    """Raises WrongPasswordError, which leaves an entry, TooManyAttemptsError, HashingBusyError."""
    limits = [Limit(AttemptCount.Kind.PASSWORD, attempt_digest(str(user.pk)), ATTEMPTS_EACH)]
    if not reserve_attempt(limits, now=now):
        raise TooManyAttemptsError
    with FOR_KNOWN.slot():
        is_right = user.check_password(password)
    if not is_right:
        with transaction.atomic():
            record(Verb.USER_PASSWORD_REFUSED, subject=("user", str(user.pk)), by=user.actor, now=now)
        raise WrongPasswordError
    refund_attempt(limits, now=now)


def change_password(user: User, new: str, *, now: datetime, but: str | None = None) -> bool:
    """Give the user this password, which ends their sessions, but for the one with the key `but`.

    Return False where it was changed meanwhile.

    All devices and networks are strangers again, since somebody who knew the old password may have used them.
    Raises HashingBusyError.
    """
    with FOR_KNOWN.slot():
        encoded = make_password(new)
    with transaction.atomic():
        if not User.objects.filter(pk=user.pk, password=user.password, is_active=True).update(password=encoded):
            return False
        SignInOrigin.objects.filter(user=user).delete()
        delete_sessions(user, but=but)
        record(Verb.USER_PASSWORD_CHANGED, subject=("user", str(user.pk)), by=user.actor, now=now)
    user.password = encoded
    return True
