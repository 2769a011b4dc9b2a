"""The pages of people and machines: who may sign in as what, and which service keys there are."""

import secrets
import uuid
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from governance.overview.access.forms import ReplaceSecretForm, RoleForm, ServiceKeyForm, UserForm
from governance.overview.access.queries import list_service_keys, list_users
from governance.review.actions import shut_out_and_release
from governance.staff.actions import LastAdminError, OwnAccessError, add_user, change_role, readmit_user
from governance.staff.models import ServiceKey, User
from governance.staff.roles import CHANGE_SERVICE_KEYS, CHANGE_USERS, VIEW_SERVICE_KEYS, VIEW_USERS, Role
from governance.staff.second_factor import remove_second_factor
from governance.staff.service_keys import (
    TwoSecretsError,
    end_previous_secret,
    issue_service_key,
    replace_secret,
    revoke_service_key,
)
from governance.staff.sessions import end_sessions
from governance.web.counts import pluralize
from governance.web.requests import StaffRequest

USERS = "configuration:users"
SERVICE_KEYS = "configuration:service-keys"


@never_cache
@require_safe
@permission_required(VIEW_USERS, raise_exception=True)
def users(request: StaffRequest) -> HttpResponse:
    return _render_users(request)


@never_cache
@require_POST
@permission_required(CHANGE_USERS, raise_exception=True)
def add_staff_user(request: StaffRequest) -> HttpResponse:
    """Add a user. The password for the first sign-in is on this one answer, and nowhere again."""
    form = UserForm(request.POST)
    if not form.is_valid():
        return _render_users(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, form=form)
    password, given = secrets.token_urlsafe(12), form.cleaned_data
    try:
        added = add_user(
            email=given["email"],
            name=given["name"],
            role=Role(given["role"]),
            password=password,
            by=request.user.actor,
            now=timezone.now(),
        )
    except ValidationError as mistake:
        form.add_error("email", ValidationError(mistake.messages))
        return _render_users(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, form=form)
    return _render_users(request, newcomer=added, password=password)


@require_POST
@permission_required(CHANGE_USERS, raise_exception=True)
def edit_staff_role(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    user, form = get_object_or_404(User, pk=pk), RoleForm(request.POST)
    if not form.is_valid():
        return _render_users(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, trouble="Choose a role.")
    chosen = Role(form.cleaned_data["role"])
    try:
        is_changed = change_role(user, chosen, by=request.user, now=timezone.now())
    except (LastAdminError, OwnAccessError) as refused:
        return _render_users(request, status=HTTPStatus.CONFLICT, trouble=str(refused))
    messages.success(request, f"{user.name}: {chosen.label if is_changed else 'not changed'}.")
    return redirect(USERS)


@require_POST
@permission_required(CHANGE_USERS, raise_exception=True)
def shut_out_staff_user(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    try:
        freed = shut_out_and_release(user, by=request.user.actor, now=timezone.now())
    except (LastAdminError, OwnAccessError) as refused:
        return _render_users(request, status=HTTPStatus.CONFLICT, trouble=str(refused))
    messages.success(request, f"{user.name} is shut out. {pluralize(freed, 'claimed case')} released.")
    return redirect(USERS)


@require_POST
@permission_required(CHANGE_USERS, raise_exception=True)
def end_staff_sessions(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Sign somebody out everywhere, as when a device is lost."""
    user = get_object_or_404(User, pk=pk)
    ended = end_sessions(user, by=request.user.actor, now=timezone.now())
    messages.success(request, f"{user.name}: {pluralize(ended, 'session')} ended.")
    return redirect(USERS)


@require_POST
@permission_required(CHANGE_USERS, raise_exception=True)
def remove_staff_factor(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Let somebody sign in with the password alone, since they lost their device and their recovery codes."""
    user = get_object_or_404(User, pk=pk)
    is_removed = remove_second_factor(user, by=request.user.actor, now=timezone.now())
    messages.success(request, f"{user.name}: {'second factor removed' if is_removed else 'had no second factor'}.")
    return redirect(USERS)


@never_cache
@require_POST
@permission_required(CHANGE_USERS, raise_exception=True)
def readmit_staff_user(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Let somebody in again. The new password is on this one answer, and nowhere again."""
    user, password = get_object_or_404(User, pk=pk), secrets.token_urlsafe(12)
    if readmit_user(user, password=password, by=request.user, now=timezone.now()):
        return _render_users(request, newcomer=user, password=password)
    return redirect(USERS)


@never_cache
@require_safe
@permission_required(VIEW_SERVICE_KEYS, raise_exception=True)
def service_keys(request: StaffRequest) -> HttpResponse:
    return _render_keys(request)


@never_cache
@require_POST
@permission_required(CHANGE_SERVICE_KEYS, raise_exception=True)
def issue_key(request: StaffRequest) -> HttpResponse:
    """Issue a key. Its secret is on this one answer, and nowhere again."""
    form, now = ServiceKeyForm(request.POST), timezone.now()
    if not form.is_valid():
        return _render_keys(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, form=form)
    given = form.cleaned_data
    expires_at = now + timedelta(days=given["days"]) if given["days"] else None
    key, secret = issue_service_key(
        name=given["name"],
        scopes=given["scopes"],
        by=request.user.actor,
        now=now,
        expires_at=expires_at,
        networks=given["networks"],
    )
    return _render_keys(request, issued=key, secret=secret)


@require_POST
@permission_required(CHANGE_SERVICE_KEYS, raise_exception=True)
def revoke_key(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    key = get_object_or_404(ServiceKey, pk=pk)
    is_revoked = revoke_service_key(key, by=request.user.actor, now=timezone.now())
    messages.success(request, f"{key.name}: {'revoked' if is_revoked else 'was revoked already'}.")
    return redirect(SERVICE_KEYS)


@never_cache
@require_POST
@permission_required(CHANGE_SERVICE_KEYS, raise_exception=True)
def replace_key_secret(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Give a key a new secret, which is on this one answer, and nowhere again."""
    key, form = get_object_or_404(ServiceKey, pk=pk), ReplaceSecretForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"{key.name}: enter for how many days the present secret works, 0 to 90.")
        return redirect(SERVICE_KEYS)
    keep, by, now = timedelta(days=form.cleaned_data["days"]), request.user.actor, timezone.now()
    try:
        secret = replace_secret(key, keep=keep, by=by, now=now)
    except TwoSecretsError as error:
        messages.error(request, str(error))
        return redirect(SERVICE_KEYS)
    if secret is None:
        messages.error(request, f"{key.name} was revoked or has expired.")
        return redirect(SERVICE_KEYS)
    return _render_keys(request, issued=key, secret=secret)


@require_POST
@permission_required(CHANGE_SERVICE_KEYS, raise_exception=True)
def end_key_secret(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    key = get_object_or_404(ServiceKey, pk=pk)
    is_ended = end_previous_secret(key, by=request.user.actor, now=timezone.now())
    messages.success(
        request, f"{key.name}: {'the previous secret is refused' if is_ended else 'it had ended already'}."
    )
    return redirect(SERVICE_KEYS)


def _render_users(request: StaffRequest, *, status: HTTPStatus = HTTPStatus.OK, **special: Any) -> HttpResponse:
    now = timezone.now()
    context = {"users": list_users(at=now), "roles": Role.choices, "form": UserForm(), "now": now}
    return render(request, "overview/settings/users.html", context | special, status=status)


def _render_keys(request: StaffRequest, *, status: HTTPStatus = HTTPStatus.OK, **special: Any) -> HttpResponse:
    now = timezone.now()
    keys = [(key, key.has_two_secrets(at=now)) for key in list_service_keys()]
    context = {"keys": keys, "form": ServiceKeyForm(), "now": now}
    return render(request, "overview/settings/service_keys.html", context | special, status=status)
