"""Entries for sign-ins, written where Django says that they happened."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from governance.audit.actions import record
from governance.staff.models import User


@receiver(user_logged_in)
@transaction.atomic
def note_sign_in(*, user: User, **_: Any) -> None:
    record("sign_in.succeeded", subject=("sign_in", user.email), by=user.actor, now=timezone.now())


@receiver(user_logged_out)
@transaction.atomic
def note_sign_out(*, user: User | None, **_: Any) -> None:
    if user is not None:
        record("sign_in.ended", subject=("sign_in", user.email), by=user.actor, now=timezone.now())
