"""Entries for sign-ins, written where Django says that they happened."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.utils import timezone

from governance.audit.actions import record
from governance.audit.verbs import Verb
from governance.platform.transactions import retried_transaction
from governance.staff.models import User


@receiver(user_logged_in)
@retried_transaction
def note_sign_in(*, user: User, **_: Any) -> None:
    record(Verb.SIGN_IN_SUCCEEDED, subject=("sign_in", user.email), by=user.actor, now=timezone.now())


@receiver(user_logged_out)
@retried_transaction
def note_sign_out(*, user: User, **_: Any) -> None:
    record(Verb.SIGN_IN_ENDED, subject=("sign_in", user.email), by=user.actor, now=timezone.now())
