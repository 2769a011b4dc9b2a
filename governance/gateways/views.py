"""The enforcement page, and the banner that every page shows when a decision is not in force."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from governance.audit.queries import is_log_at_fault
from governance.gateways.fleet import (
    count_in_force_by_kind,
    enforcement_overview,
    list_missing,
    list_newest_repairs,
)
from governance.gateways.forms import DropLostForm, PlaceForm
from governance.gateways.models import LostDecision
from governance.gateways.queries import get_alarm as find_alarm
from governance.gateways.recovery import (
    CannotRestrictError,
    open_lost_decisions,
    restrictions_of_same_kind,
    settle_as_dropped,
    settle_as_in_force,
)
from governance.platform.disk_space import find_installation_shortage
from governance.staff.roles import LIFT_RESTRICTIONS, VIEW_ENFORCEMENT
from governance.web.requests import StaffRequest

# Of each list on the page, which is to be taken in at a glance; links lead to all.
FIRST_SHOWN = 5
GATEWAYS_SHOWN = 6
PAGE = 50
LOST_SHOWN = 200


@never_cache
@require_safe
@permission_required(VIEW_ENFORCEMENT, raise_exception=True)
def enforcement(request: StaffRequest) -> HttpResponse:
    return _render_page(request)


def _render_page(request: StaffRequest, *, status: HTTPStatus = HTTPStatus.OK, **special: Any) -> HttpResponse:
    now = timezone.now()
    overview = enforcement_overview(now=now, most=FIRST_SHOWN)
    lost = list(open_lost_decisions()[: LOST_SHOWN + 1])
    context = {
        "lost": lost[:FIRST_SHOWN],
        "more_lost": lost[FIRST_SHOWN:LOST_SHOWN],
        "has_more_lost": len(lost) > LOST_SHOWN,
        "gateways": overview.gateways[:GATEWAYS_SHOWN],
        "more_gateways": overview.gateways[GATEWAYS_SHOWN:],
        "is_all_well": not any(state.trouble for state in overview.gateways),
        "missing": overview.missing,
        "counts": count_in_force_by_kind(now=now),
        "newest": overview.newest,
        "repairs": list_newest_repairs(),
        "fail_closed_plans": settings.FAIL_CLOSED_PLANS,
        "drop_form": DropLostForm(),
        "now": now,
    }
    return render(request, "gateways/enforcement.html", context | special, status=status)


@never_cache
@require_safe
@permission_required(VIEW_ENFORCEMENT, raise_exception=True)
def missing(request: StaffRequest) -> HttpResponse:
    """List what some gateway has not applied or removed yet, the longest due first."""
    form, now = PlaceForm(request.GET), timezone.now()
    if not form.is_valid():
        return render(request, "400.html", {"complaint": form.complaint}, status=HTTPStatus.BAD_REQUEST)
    after = form.cleaned_data["after"] or 0
    page = list_missing(now=now, after=after, most=PAGE)
    return render(request, "gateways/missing.html", {"page": page, "after": after, "now": now})


@never_cache
@require_safe
@permission_required(VIEW_ENFORCEMENT, raise_exception=True)
def alarm(request: StaffRequest) -> HttpResponse:
    disk = find_installation_shortage(settings.DATA_DIR) if settings.EMBEDDED else None
    context = {"alarm": find_alarm(now=timezone.now()), "disk": disk, "is_log_at_fault": is_log_at_fault()}
    return render(request, "gateways/alarm.html", context)


@require_POST
@permission_required([VIEW_ENFORCEMENT, LIFT_RESTRICTIONS], raise_exception=True)
def keep_lost(request: StaffRequest, pk: int) -> HttpResponse:
    """Settle that a decision that was lost at a restore is in force."""
    decision = get_object_or_404(LostDecision, pk=pk)
    try:
        is_kept = settle_as_in_force(decision, by=request.user.actor, now=timezone.now())
    except CannotRestrictError as error:
        messages.error(request, str(error))
    else:
        _say_what_is_in_force(request, pk, is_settled=is_kept)
    return redirect("gateways:enforcement")


@require_POST
@permission_required([VIEW_ENFORCEMENT, LIFT_RESTRICTIONS], raise_exception=True)
def drop_lost(request: StaffRequest, pk: int) -> HttpResponse:
    """Settle that nobody is restricted because of a decision that was lost at a restore, and why."""
    form = DropLostForm(request.POST)
    if not form.is_valid():  # the page lists the decisions: to read this one first would be a query more
        return _render_page(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, drop_form=form, dropping=pk)
    decision = get_object_or_404(LostDecision, pk=pk)
    is_dropped = settle_as_dropped(decision, note=form.cleaned_data["note"], by=request.user.actor, now=timezone.now())
    _say_what_is_in_force(request, pk, is_settled=is_dropped)
    return redirect("gateways:enforcement")


def _say_what_is_in_force(request: StaffRequest, pk: int, *, is_settled: bool) -> None:
    """Show a message that says what is in force now, and because of which decision."""
    decision, now = LostDecision.objects.select_related("restriction").get(pk=pk), timezone.now()
    about = f"{decision.kind} of {decision.target}"
    numbers = [f"no. {one.number}" for one in restrictions_of_same_kind(decision, now=now)]
    made = decision.restriction
    if not is_settled:
        messages.warning(
            request, f"{decision.settled_by} settled this first: {decision.get_outcome_display().lower()}."
        )
    if decision.outcome == LostDecision.Outcome.DROPPED and numbers:
        messages.warning(request, f"Removed, but still in force by another decision: {about}, {', '.join(numbers)}.")
    elif decision.outcome == LostDecision.Outcome.IN_FORCE and made is not None and made.is_planned(at=now):
        messages.success(
            request, f"Planned: {about}, from {made.starts_at:%Y-%m-%d %H:%M} UTC. {decision.problem}".strip()
        )
    elif numbers:
        messages.success(request, f"In force: {about}. {decision.problem}".strip())
    else:
        messages.success(request, f"Not in force: {about}.")
