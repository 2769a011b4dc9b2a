"""The sessions of staff: since when they last, from where they were begun, and how they are ended."""

import uuid
from datetime import datetime, timedelta
from typing import Final

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.platform.transactions import retried_transaction
from governance.staff.models import StaffSession, User
from governance.staff.session_store import SessionStore

USE_RECORDED_EVERY: Final = timedelta(minutes=1)


def open_sessions(user: User, *, at: datetime) -> list[StaffSession]:
    """Return where a user is signed in, what was used last first."""
    return list(StaffSession.objects.open(at=at).filter(user=user).order_by("-last_used_at", "pk"))


def begin_session(session: SessionBase, user: User, *, address: str, browser: str, now: datetime) -> None:
    """Note that `user` has just signed in with this session of Django."""
    if session.session_key is None:
        session.create()
    own = {"user": user, "started_at": now, "last_used_at": now, "address": address, "browser": browser}
    StaffSession.objects.update_or_create(session_id=session.session_key, defaults=own)


def record_use(session: SessionBase, *, now: datetime) -> None:
    """Note that somebody uses the session: it goes on. Only once a minute, so that pages cost no further query."""
    used = session.of_staff if isinstance(session, SessionStore) else None
    if used is not None and now - used.last_used_at >= USE_RECORDED_EVERY:
        StaffSession.objects.filter(pk=used.pk, last_used_at__lt=now).update(last_used_at=now)


def delete_sessions(user: User, *, but: str | None = None) -> int:
    """Delete the sessions of a user, but for the one with the key `but`. Return how many there were."""
    theirs = StaffSession.objects.filter(user=user).exclude(session_id=but)
    keys = list(theirs.values_list("session_id", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    return len(keys)


@retried_transaction
def end_session(user: User, pk: uuid.UUID, *, by: Actor, now: datetime) -> bool:
    """End one session of a user. Return False if it had ended already."""
    ended = StaffSession.objects.select_for_update().filter(user=user, pk=pk).first()
    if ended is None:
        return False
    was_open = ended.is_open(at=now)
    Session.objects.filter(session_key=ended.session_id).delete()
    if was_open:
        record(Verb.USER_SESSIONS_ENDED, subject=("user", str(user.pk)), by=by, now=now, details={"sessions": 1})
    return was_open


@retried_transaction
def end_sessions(user: User, *, by: Actor, now: datetime, but: str | None = None) -> int:
    """End every session of a user, but for the one with the key `but`. Return how many were open."""
    were_open = StaffSession.objects.open(at=now).filter(user=user).exclude(session_id=but).count()
    delete_sessions(user, but=but)
    if were_open:
        record(
            Verb.USER_SESSIONS_ENDED, subject=("user", str(user.pk)), by=by, now=now, details={"sessions": were_open}
        )
    return were_open
