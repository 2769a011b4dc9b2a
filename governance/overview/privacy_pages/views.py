"""The pages of legal holds and erasures: for leads and admins, and for auditors to read."""

import uuid
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.overview.privacy_pages.forms import EraseForm, HoldForm, HoldWhomForm, LiftHoldForm, WhomForm
from governance.privacy.erasure import HeldError, start_erasure
from governance.privacy.holds import Target, UnknownTargetError, find_target, lift_hold, set_hold
from governance.privacy.models import LegalHold
from governance.privacy.queries import list_erasures, list_holds, preview_erasure
from governance.staff.roles import ERASE_PEOPLE, LIFT_HOLDS, SET_HOLDS, VIEW_PRIVACY
from governance.web.counts import pluralize
from governance.web.requests import StaffRequest

PAGE = "configuration:privacy"


@never_cache
@require_safe
@permission_required(VIEW_PRIVACY, raise_exception=True)
def privacy(request: StaffRequest) -> HttpResponse:
    form = HoldWhomForm(request.GET)
    if not form.is_valid():
        return render(request, "400.html", {"complaint": form.complaint}, status=HTTPStatus.BAD_REQUEST)
    return _render_page(request, hold_form=HoldForm(initial=form.cleaned_data))


@require_POST
@permission_required([VIEW_PRIVACY, SET_HOLDS], raise_exception=True)
def hold(request: StaffRequest) -> HttpResponse:
    form = HoldForm(request.POST)
    if not form.is_valid():
        return _render_page(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, hold_form=form)
    try:
        target = find_target(form.cleaned_data["kind"], form.cleaned_data["name"])
    except UnknownTargetError as error:
        form.add_error("name", str(error))
        return _render_page(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, hold_form=form)
    made = set_hold(target, reason=form.cleaned_data["reason"], by=request.user.actor, now=timezone.now())
    messages.success(request, f"Legal hold set: {pluralize(made.accounts.count(), 'account')} covered.")
    return redirect(PAGE)


@require_POST
@permission_required([VIEW_PRIVACY, LIFT_HOLDS], raise_exception=True)
def lift(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    found, form = get_object_or_404(LegalHold, pk=pk), LiftHoldForm(request.POST)
    if not form.is_valid():
        return _render_page(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, lift_form=form, lifting=found.pk)
    is_lifted = lift_hold(found, reason=form.cleaned_data["reason"], by=request.user.actor, now=timezone.now())
    messages.success(request, "Legal hold lifted." if is_lifted else "It was lifted already.")
    return redirect(PAGE)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required([VIEW_PRIVACY, ERASE_PEOPLE], raise_exception=True)
def erasure(request: StaffRequest) -> HttpResponse:
    """Show what an erasure takes and leaves, and erase."""
    whom = WhomForm(request.GET)
    if not whom.is_valid():
        return render(request, "400.html", {"complaint": whom.complaint}, status=HTTPStatus.BAD_REQUEST)
    try:
        target = find_target(whom.cleaned_data["kind"], whom.cleaned_data["name"])
    except UnknownTargetError as error:
        whom.add_error("name", str(error))
        return _render_page(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, whom_form=whom)
    if request.method != "POST":
        return _render_erasure(request, target, EraseForm())
    form = EraseForm(request.POST)
    if not form.is_valid():
        return _render_erasure(request, target, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        start_erasure(target, reason=form.cleaned_data["reason"], by=request.user.actor, now=timezone.now())
    except HeldError:
        return _render_erasure(request, target, form, status=HTTPStatus.CONFLICT)
    messages.success(request, f"Erased: {target.kind} {target.name}. Usage events are cleared within minutes.")
    return redirect(PAGE)


def _render_page(request: StaffRequest, *, status: HTTPStatus = HTTPStatus.OK, **special: Any) -> HttpResponse:
    context = {
        "holds": list_holds(),
        "erasures": list_erasures(),
        "hold_form": HoldForm(),
        "lift_form": LiftHoldForm(),
        "whom_form": WhomForm(),
        "now": timezone.now(),
    }
    return render(request, "overview/settings/privacy.html", context | special, status=status)


def _render_erasure(
    request: StaffRequest, target: Target, form: EraseForm, *, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    context = {"preview": preview_erasure(target), "form": form, "now": timezone.now()}
    return render(request, "overview/settings/erase.html", context, status=status)
