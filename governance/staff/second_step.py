"""Between the password and the code of the second factor: who has entered the first, and how long the second is taken.

Kept in a session of nobody: only the second step signs in.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.contrib.sessions.backends.base import SessionBase
from django.utils.crypto import constant_time_compare

from governance.staff.models import User

TIME_FOR_THE_CODE: Final = timedelta(minutes=10)
_PENDING: Final = "second_step"


class SecondStep(NamedTuple):
    """A user who has entered the password, and the page that they go on to."""

    user: User
    leads_to: str


def begin_second_step(session: SessionBase, user: User, *, leads_to: str, now: datetime) -> None:
    """Remember that `user` has just entered the right password. The session gets a new key, which nobody else knows."""
    session.cycle_key()
    password = user.get_session_auth_hash()
    session[_PENDING] = {"user": str(user.pk), "password": password, "at": now.isoformat(), "leads_to": leads_to}


def find_second_step(session: SessionBase, *, now: datetime) -> SecondStep | None:
    """Return whose code is waited for, or None: for nobody's, for too long, or the password was changed meanwhile."""
    pending = session.get(_PENDING)
    if not pending or now - datetime.fromisoformat(pending["at"]) >= TIME_FOR_THE_CODE:
        return None
    user = User.objects.filter(pk=pending["user"], is_active=True).first()
    if user is None or not constant_time_compare(pending["password"], user.get_session_auth_hash()):
        return None
    return SecondStep(user, pending["leads_to"])


def end_second_step(session: SessionBase) -> None:
    session.pop(_PENDING, None)
