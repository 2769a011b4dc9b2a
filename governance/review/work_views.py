"""What is said of a case short of deciding it: hold, assign, escalate, skip; and who has it open."""

import uuid
from collections.abc import Callable

from django.contrib.auth.decorators import permission_required
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from governance.review import handing_out, holding
from governance.review.case_responses import (
    conflict_response,
    find_case,
    invalid_form_response,
    next_response,
    success_response,
)
from governance.review.inbox import mark_case_read
from governance.review.models import Case
from governance.review.presence import other_viewers, record_viewer
from governance.review.queue_forms import AssignForm, HoldForm, ReasonForm
from governance.review.verdicts import LOST_RACES
from governance.staff.roles import ESCALATED_TO, VIEW_CASES, WORK_CASES
from governance.web.requests import StaffRequest


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def hold(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    case, now = find_case(pk), timezone.now()
    form = HoldForm(request.POST, now=now)
    if not form.is_valid():
        return invalid_form_response(request, case, "work", hold_form=form)
    until = form.held_until()

    def act() -> None:
        because, seen = form.cleaned_data["because"], form.cleaned_data["seen"]
        holding.hold(case, until=until, because=because, by=request.user, now=now, seen=seen)

    return _after(request, case, act, f"{case.subject} is on hold until {until:%-d %b, %H:%M} UTC.", form=form)


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def resume(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    is_back = holding.resume(find_case(pk), by=request.user, now=timezone.now())
    return success_response(request, pk, "Back in the queue." if is_back else "This case is not on hold any more.")


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def assign(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    case, form = find_case(pk), AssignForm(request.POST)
    if not form.is_valid():
        return invalid_form_response(request, case, "work", assign_form=form)
    to = form.cleaned_data["to"]

    def act() -> None:
        because, seen = form.cleaned_data["because"], form.cleaned_data["seen"]
        holding.assign(case, to=to, because=because, by=request.user, now=timezone.now(), seen=seen)

    said = f"{case.subject} is assigned to {to.name}." if to else f"{case.subject} is assigned to nobody."
    return _after(request, case, act, said, form=form, goes_on=to not in {None, request.user})


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def escalate(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    case = find_case(pk)
    form = ReasonForm(request.POST, missing="Enter what the leads should decide.", auto_id="escalate")
    if not form.is_valid():
        return invalid_form_response(request, case, "work", escalate_form=form)

    def act() -> None:
        holding.escalate(case, because=form.cleaned_data["because"], by=request.user, now=timezone.now())

    return _after(request, case, act, f"{case.subject} is escalated to the leads.", form=form)


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def answer(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Give an escalated case back: for leads."""
    case = find_case(pk)
    form = ReasonForm(request.POST, missing="Enter your answer.", auto_id="answer")
    if not form.is_valid():
        return invalid_form_response(request, case, "work", answer_form=form)
    if request.user.role not in ESCALATED_TO:
        form.add_error("because", "Only leads answer what is escalated to them.")
        return invalid_form_response(request, case, "work", answer_form=form)

    def act() -> None:
        holding.answer_escalation(case, answer=form.cleaned_data["because"], by=request.user, now=timezone.now())

    return _after(request, case, act, "Answered. The case is back in the queue.", form=form, goes_on=False)


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def skip(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    case = find_case(pk)
    form = ReasonForm(request.POST, missing="Enter why you leave it to others.", auto_id="skip")
    if not form.is_valid():
        return invalid_form_response(request, case, "work", skip_form=form)

    def act() -> None:
        handing_out.skip(case, because=form.cleaned_data["because"], by=request.user, now=timezone.now())

    return _after(request, case, act, f"{case.subject} skipped. Next does not hand it to you for 8 hours.", form=form)


@never_cache
@require_safe
@permission_required(VIEW_CASES, raise_exception=True)
def viewers(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Say that the case is open here, and answer with who else has it open. What is in the user's inbox about it is
    read then, up to when the page was made (`?shown=`). `?active=1` prolongs a claim of one's own: somebody has used
    the page in the last minutes.
    """
    case, now = get_object_or_404(Case, pk=pk), timezone.now()
    record_viewer(case, user=request.user, now=now)
    if (shown_at := parse_datetime(request.GET.get("shown", ""))) is not None and is_aware(shown_at):
        mark_case_read(request.user, case, shown_at=shown_at, now=now)
    if request.GET.get("active") == "1":
        handing_out.prolong_claim(case, by=request.user, now=now)
    others = other_viewers(case, user=request.user, now=now)
    return render(request, "review/case/viewers.html", {"others": others})


def _after(
    request: StaffRequest, case: Case, act: Callable[[], None], message: str, *, form: Form, goes_on: bool = True
) -> HttpResponse:
    """Do it; then show the next case, since this one is no longer for the user, or else the case as it is now. What
    was typed is kept where somebody was faster.
    """
    try:
        act()
    except LOST_RACES as lost:
        return conflict_response(request, case.pk, lost, unsaid=form.cleaned_data["because"])
    if not goes_on:
        return success_response(request, case.pk, message)
    return next_response(request, case, message)
