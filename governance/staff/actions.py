"""Add and deactivate staff, and change their roles."""

import json
import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from django.contrib.auth.password_validation import validate_password

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.platform.installation_secrets import read_private
from governance.platform.transactions import retried_transaction
from governance.staff.models import User
from governance.staff.roles import Role
from governance.staff.sessions import delete_sessions


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
    """Give a user another role, which ends their sessions. Return False if they have it already, or are shut out.

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
    delete_sessions(locked)
    details = {"email": locked.email, "before": locked.role, "after": role.value}
    record(Verb.USER_ROLE_CHANGED, subject=("user", str(user.pk)), by=by.actor, now=now, details=details)
    return True


@retried_transaction
def shut_out_user(user: User, *, by: Actor, now: datetime) -> bool:
    """End a user's access: no sign-in, and open sessions end. Return False if they had none.

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
    delete_sessions(user)
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
