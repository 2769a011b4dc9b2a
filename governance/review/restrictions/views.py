"""The page of all restrictions in force. Those that no case shows can be lifted here."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from governance.restrictions.actions import lift
from governance.restrictions.models import Restriction
from governance.review.actions import lift_restriction
from governance.review.forms import LiftForm, RestrictionListForm
from governance.review.models import Case
from governance.review.restrictions.queries import find_restrictions, newest_cases
from governance.staff.roles import LIFT_RESTRICTIONS, VIEW_ENFORCEMENT
from governance.web.requests import StaffRequest


@never_cache
@require_safe
@permission_required(VIEW_ENFORCEMENT, raise_exception=True)
def restrictions(request: StaffRequest) -> HttpResponse:
    return _render_page(request)


@require_POST
@permission_required([VIEW_ENFORCEMENT, LIFT_RESTRICTIONS], raise_exception=True)
def lift_from_list(request: StaffRequest, number: int) -> HttpResponse:
    """Lift one restriction; the newest case of its account, where there is one, says so in its history."""
    restriction, form = get_object_or_404(Restriction, number=number), LiftForm(request.POST)
    if not form.is_valid():
        return _render_page(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, lift_form=form, lifting=number)
    note, now = form.cleaned_data["note"], timezone.now()
    if case := Case.objects.filter(pk__in=newest_cases([restriction]).values()).first():
        was_live = lift_restriction(case, restriction, note=note, by=request.user, now=now)
    else:
        was_live = lift(restriction, note=note, by=request.user.actor, now=now)
    what = f"Restriction {number} ({restriction.get_kind_display().lower()} of {restriction.target})"
    messages.success(request, f"{what} removed." if was_live else f"{what} had already ended.")
    filters = {name: value for name in ("kind", "q", "before") if (value := request.GET.get(name))}
    return redirect(f"{reverse('review:restrictions')}{f'?{urlencode(filters)}' if filters else ''}")


def _render_page(request: StaffRequest, *, status: HTTPStatus = HTTPStatus.OK, **special: Any) -> HttpResponse:
    form = RestrictionListForm(request.GET)
    if not form.is_valid():
        messages.error(request, form.complaint)
        return redirect("review:restrictions")
    text, before, kind = (form.cleaned_data[name] for name in ("q", "before", "kind"))
    page = find_restrictions(text=text, before=before, kind=kind)
    asked = {"text": text, "before": before, "kind": kind, "form": form}
    context = asked | {"page": page, "now": timezone.now(), "lift_form": LiftForm()}
    return render(request, "review/restrictions.html", context | special, status=status)
