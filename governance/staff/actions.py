"""Add and deactivate staff; issue, revoke and authenticate service keys."""

import hashlib
import json
import os
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.db.models import Q

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.platform.installation_secrets import read_private
from governance.platform.notifications import KEYS_CHANNEL, notify_on_commit
from governance.platform.transactions import retried_transaction
from governance.staff.models import ServiceKey, User
from governance.staff.roles import Role

SECRET_PREFIX = "swk_"  # noqa: S105 - the public start of every secret, so that leak scanners know it
# Every request would be an entry; one an hour and key says as much, and each effect has an entry of its own.
USE_IS_NOTED_EVERY = timedelta(hours=1)


@retried_transaction
def add_user(*, email: str, name: str, role: Role, password: str, by: Actor, now: datetime) -> User:
    """Add a user who can sign in with `password`.

    Raises ValidationError if the password is weak, the name is missing, or the e-mail address is invalid or taken.
    """
    user = User(email=email.lower(), name=name, role=role, created_at=now)
    user.set_password(password)
    user.full_clean()
    validate_password(password, user)
    user.save(force_insert=True)
    record(
        Verb.USER_ADDED,
        subject=("user", str(user.id)),
        by=by,
        now=now,
        details={"email": user.email, "role": role.value},
    )
    return user


class LastAdminError(Exception):
    """Without this user nobody could manage staff any more."""

    def __init__(self) -> None:
        super().__init__("This is the last admin. Make somebody else an admin first.")


class OwnAccessError(Exception):
    """Nobody changes their own role or access."""

    def __init__(self) -> None:
        super().__init__("Nobody can change their own role or access. Ask another admin.")


@retried_transaction
def change_role(user: User, role: Role, *, by: User, now: datetime) -> bool:
    """Give a user another role, from their next request on. Return False if they have it already, or are shut out.

    Raises OwnAccessError, LastAdminError.
    """
    if user.pk == by.pk:
        raise OwnAccessError
    others = _lock_other_admins(user)
    locked = User.objects.select_for_update().get(pk=user.pk)
    if locked.role == role or not locked.is_active:
        return False
    if locked.role == Role.ADMIN and not others:
        raise LastAdminError
    User.objects.filter(pk=user.pk).update(role=role)
    details = {"email": locked.email, "before": locked.role, "after": role.value}
    record(Verb.USER_ROLE_CHANGED, subject=("user", str(user.pk)), by=by.actor, now=now, details=details)
    return True


@retried_transaction
def deactivate_user(user: User, *, by: Actor, now: datetime) -> bool:
    """End a user's access: no sign-in, and open sessions end with the next request. Return False if they had none.

    The password goes too, since sessions are bound to it: should the user be made active again, none of them revives.
    Raises LastAdminError, and OwnAccessError where a user would shut themselves out.
    """
    if by == user.actor:
        raise OwnAccessError
    others = _lock_other_admins(user)
    locked = User.objects.select_for_update().get(pk=user.pk)
    if not locked.is_active:
        return False
    if locked.role == Role.ADMIN and not others:
        raise LastAdminError
    user.set_unusable_password()
    User.objects.filter(pk=user.pk).update(is_active=False, password=user.password)
    record(Verb.USER_DEACTIVATED, subject=("user", str(user.id)), by=by, now=now, details={"email": user.email})
    return True


@retried_transaction
def readmit_user(user: User, *, password: str, by: User, now: datetime) -> bool:
    """Let a user who was shut out sign in again, with a new password. Return False if they are active.

    Raises ValidationError if the password is weak.
    """
    locked = User.objects.select_for_update().get(pk=user.pk)
    if locked.is_active:
        return False
    validate_password(password, locked)
    locked.set_password(password)
    User.objects.filter(pk=user.pk).update(is_active=True, password=locked.password)
    details = {"email": locked.email, "role": locked.role}
    record(Verb.USER_READMITTED, subject=("user", str(user.pk)), by=by.actor, now=now, details=details)
    return True


def _lock_other_admins(user: User) -> bool:
    """Return whether there is another active admin than `user`.

    All of them are locked, so that two who remove each other cannot both succeed.
    """
    admins = User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True).order_by("pk")
    return any(admin.pk != user.pk for admin in admins)


@retried_transaction
def issue_service_key(
    *, name: str, scopes: Iterable[str], by: Actor, now: datetime, expires_at: datetime | None = None
) -> tuple[ServiceKey, str]:
    """Create a service key. Return it and its secret, which is shown only this once and stored nowhere.

    Raises ValueError for a scope that does not exist or for none, and for a name that cannot be shown as it is.
    """
    if not name.strip() or not name.isprintable():
        raise ValueError("Use printable characters on one line for the name of a service key.")
    wanted = sorted({ServiceKey.Scope(scope).value for scope in scopes})
    if not wanted:
        raise ValueError("A service key needs at least one scope.")
    secret = SECRET_PREFIX + secrets.token_urlsafe(32)
    key = ServiceKey.objects.create(
        name=name,
        shown_prefix=secret[:10],
        digest=digest_of(secret),
        scopes=wanted,
        created_at=now,
        created_by=by.name,
        expires_at=expires_at,
    )
    notify_on_commit(KEYS_CHANNEL)
    record(Verb.SERVICE_KEY_ISSUED, subject=("service_key", str(key.id)), by=by, now=now, details={"scopes": wanted})
    return key, secret


@retried_transaction
def revoke_service_key(key: ServiceKey, *, by: Actor, now: datetime) -> bool:
    """Revoke the key. Return False if it was revoked already."""
    if not ServiceKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        return False
    notify_on_commit(KEYS_CHANNEL)
    record(Verb.SERVICE_KEY_REVOKED, subject=("service_key", str(key.id)), by=by, now=now)
    return True


def digest_of(secret: str) -> bytes:
    """Return the hash that is stored of a secret. A plain one is enough: a secret has 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()


def authenticate_service_key(secret: str, *, now: datetime) -> ServiceKey | None:
    """Return the usable key with this secret, or None. Its use is recorded in the log, once an hour."""
    key = ServiceKey.objects.usable(at=now).filter(digest=digest_of(secret)).first()
    if key is not None and (key.last_used_at is None or key.last_used_at <= now - USE_IS_NOTED_EVERY):
        _note_use(key, now=now)
    return key


def note_service_keys_used(keys: Iterable[UUID], *, now: datetime) -> None:
    """Record the use of keys that a process authenticated by itself, each once an hour."""
    for key in ServiceKey.objects.filter(_use_not_noted_lately(now), pk__in=list(keys)).order_by("pk"):
        _note_use(key, now=now)


def _use_not_noted_lately(now: datetime) -> Q:
    return Q(last_used_at=None) | Q(last_used_at__lte=now - USE_IS_NOTED_EVERY)


@retried_transaction
def _note_use(key: ServiceKey, *, now: datetime) -> None:
    if ServiceKey.objects.filter(_use_not_noted_lately(now), pk=key.pk).update(last_used_at=now):
        record(Verb.SERVICE_KEY_USED, subject=("service_key", str(key.id)), by=key.actor, now=now)


class DemoSignIn(NamedTuple):
    """An account of the demonstration, with its password."""

    role: Role
    email: str
    password: str


DEMO_STAFF = (
    (Role.REVIEWER, "mira@example.com", "Mira Okafor"),
    (Role.LEAD, "jonas@example.com", "Jonas Lindqvist"),
    (Role.ADMIN, "ada@example.com", "Ada Moreau"),
)


@retried_transaction
def ensure_demo_staff(file: Path, *, by: Actor, now: datetime) -> list[DemoSignIn]:
    """A reviewer, a lead and an admin for a first look, with passwords made for this machine.

    The passwords are kept in `file` (mode 0600), so that the next start can show them again. Where staff was added
    otherwise, nobody is added here and the list is empty. Raises PermissionError where others may read the file.
    """
    kept: dict[str, str] = json.loads(read_private(file)) if file.exists() else {}
    if not kept and User.objects.exists():
        return []
    if not kept:
        kept = {email: secrets.token_urlsafe(12) for _, email, _ in DEMO_STAFF}
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(kept, out)
    for role, email, name in DEMO_STAFF:
        if not User.objects.filter(email=email).exists():
            add_user(email=email, name=name, role=role, password=kept[email], by=by, now=now)
    return [DemoSignIn(role, email, kept[email]) for role, email, _ in DEMO_STAFF]
