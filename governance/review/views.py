"""The pages of the queue. A fragment is a part of its page: same view, same address, same template.

An htmx request names the element that is to change; where a template has a partial of that name, the answer
is that partial. Without JavaScript the same addresses answer with whole pages and redirects.
"""

import uuid
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect, push_url, reswap, retarget, trigger_client_event

from governance.restrictions.models import Restriction
from governance.review import actions
from governance.review.campaigns.views import address_of, render_campaign
from governance.review.case_detail import CaseDetail, cases_with_details
from governance.review.decision_targets import claims_of_others, describe_targets
from governance.review.forms import DecisionForm, ExcerptsForm, LiftForm, NoteForm, QueueForm, UndoForm
from governance.review.models import Case
from governance.review.queries import InvalidCursorError, find_next_case, queue_counts, queue_page
from governance.review.restrictions.queries import say_still_denied
from governance.review.undo import undo_decision
from governance.review.verdicts import (
    AlreadyDecidedError,
    CannotUndoError,
    CaseTakenError,
    NoSuchScopeError,
    SentBeforeError,
)
from governance.review.wording import outcome_word
from governance.staff.roles import LIFT_RESTRICTIONS, VIEW_CASES, WORK_CASES
from governance.web.requests import StaffRequest, page_of

PARTS = {
    "review/queue.html": {"queue", "cases"},
    "review/case.html": {
        "case",
        "claim",
        "decide",
        "excerpts",
        "force",
        "history",
        "decision-progress",
        "restrictions",
    },
}


@never_cache
@require_safe
@permission_required(VIEW_CASES, raise_exception=True)
def queue(request: StaffRequest) -> HttpResponse:
    form = QueueForm(request.GET)
    if not form.is_valid():
        return _unreadable(request, form.complaint)
    queue_filter, now = form.queue_filter(), timezone.now()
    try:
        page = queue_page(queue_filter, user=request.user, now=now)
    except InvalidCursorError:
        return _unreadable(request, "The list cannot continue from this case. Go back to the first page.")
    context = {
        "form": form,
        "queue_filter": queue_filter,
        "page": page,
        "counts": queue_counts(user=request.user, now=now),
        "now": now,
    }
    response = _answer(request, "review/queue.html", context)
    page_shown = page_of(request.htmx)
    if page_shown.partition("?")[0] == request.path and page_shown != request.get_full_path():
        push_url(response, request.get_full_path())
    return response


@never_cache
@require_safe
@permission_required(VIEW_CASES, raise_exception=True)
def case(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    case = _case(pk)
    return redirect(address_of(case)) if case.campaign_id is not None else _render_page(request, case)


@require_safe
@permission_required(VIEW_CASES, raise_exception=True)
def next_case(request: StaffRequest) -> HttpResponse:
    """Leads on to the case to work on after `?after=…`; to the queue when nothing waits."""
    form = QueueForm(request.GET)
    if not form.is_valid():
        return _unreadable(request, form.complaint)
    after = form.queue_filter().after
    left = Case.objects.filter(pk=after).first() if after else None
    found = find_next_case(after=left, user=request.user, now=timezone.now())
    if found is not None:
        return redirect("review:case", pk=found.pk)
    messages.info(request, "No cases waiting.")
    return HttpResponseClientRedirect(reverse("review:queue")) if request.htmx else redirect("review:queue")


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def claim(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    case = _case(pk)
    try:
        actions.claim(case, by=request.user, now=timezone.now())
    except (CaseTakenError, AlreadyDecidedError) as lost:
        return _conflict_response(request, pk, lost)
    return _success_response(request, pk)


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def release(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    actions.release(_case(pk), by=request.user, now=timezone.now())
    return _success_response(request, pk)


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def note(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    case, form = _case(pk), NoteForm(request.POST)
    if not form.is_valid():
        return _invalid_form_response(request, case, "history", note_form=form)
    actions.add_note(case, text=form.cleaned_data["text"], by=request.user, now=timezone.now())
    return _success_response(request, pk, "Note added.")


@never_cache
@require_POST
@permission_required(VIEW_CASES, raise_exception=True)
def excerpts(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the excerpts of prompts, this once: each showing is an entry of the log."""
    case, form = _account_case(pk), ExcerptsForm(request.POST)
    if not form.is_valid():
        return _invalid_form_response(request, case, "excerpts", excerpts_form=form)
    read = actions.read_excerpts(case, reason=form.cleaned_data["reason"], by=request.user, now=timezone.now())
    return _render_page(request, case, part="excerpts", read=read)


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def decide(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    case, form = _account_case(pk), DecisionForm(request.POST)
    if not form.is_valid():
        return _invalid_form_response(request, case, "decide", decision_form=form)
    decision_id, verdict, now = form.cleaned_data["decision"], form.verdict(), timezone.now()
    try:
        claimed = claims_of_others(case, verdict, by=request.user, now=now)
        decision = actions.decide(case, verdict, decision_id=decision_id, by=request.user, now=now)
    except (CaseTakenError, AlreadyDecidedError, SentBeforeError) as lost:
        return _conflict_response(request, pk, lost, unsent=form)
    except NoSuchScopeError as mistake:
        form.add_error("scope", str(mistake))
        return _invalid_form_response(request, case, "decide", decision_form=form)
    taken = "".join(f" {one.claimed_by} had claimed the case of {one.subject}." for one in claimed)
    return _success_response(request, pk, f"{describe_targets(decision)}: {outcome_word(decision.action)}.{taken}")


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def reopen(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Leads to the new case."""
    reopened = actions.reopen(_case(pk), by=request.user, now=timezone.now())
    return redirect("review:case", pk=reopened.pk)


@require_POST
@permission_required((LIFT_RESTRICTIONS, WORK_CASES), raise_exception=True)
def undo(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Undo the decision on the case, with all that it put into force."""
    case, form = _case(pk), UndoForm(request.POST)
    if not form.is_valid():
        return _invalid_form_response(request, case, "decide", undo_form=form)
    return _undone(request, case, note=form.cleaned_data["note"])


@require_POST
@permission_required(LIFT_RESTRICTIONS, raise_exception=True)
def lift(request: StaffRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    """Lift one restriction. Soon after the decision that made it, lifting it from its own case is undoing that."""
    case, form = _account_case(pk), LiftForm(request.POST)
    restriction = get_object_or_404(Restriction.objects.against(case.own_account), number=number)
    detail = CaseDetail(case, now=timezone.now())
    is_own = detail.decision is not None and detail.decision.origin == restriction.origin
    if not form.is_valid():
        part = "decide" if is_own else "restrictions"
        return _invalid_form_response(request, case, part, lift_form=form, lifting=number)
    note = form.cleaned_data["note"]
    if is_own and detail.is_undoable and restriction.ended_at is None:
        return _undone(request, case, note=note)
    lifted = actions.lift_restriction(
        case,
        restriction,
        note=note,
        by=request.user,
        now=timezone.now(),
        everywhere=form.cleaned_data["everywhere"],
    )
    still = say_still_denied(case, now=timezone.now())
    return _success_response(request, pk, f"{'Restriction removed.' if lifted else 'It had already ended.'}{still}")


def _undone(request: StaffRequest, case: Case, *, note: str) -> HttpResponse:
    try:
        done = undo_decision(case, note=note, by=request.user, now=timezone.now())
    except CannotUndoError as lost:
        return _conflict_response(request, case.pk, lost)
    if not done.is_undone:
        message = "It was too late to undo the decision. Its restrictions were removed."
    elif done.is_open:
        message = "Undone. The case is open again and claimed by you."
    else:
        message = "Undone. There is a newer case."
    if done.is_undone and (done.ended or done.restored):
        ended = "1 restriction" if done.ended == 1 else f"{done.ended} restrictions"
        so_far = " so far; the rest follows automatically" if done.is_unfinished else ""
        message += f" {ended} ended, {done.restored} restored{so_far}."
    return _success_response(request, case.pk, message + say_still_denied(case, now=timezone.now()))


def _unreadable(request: StaffRequest, complaint: str) -> HttpResponse:
    return render(request, "400.html", {"complaint": complaint}, status=HTTPStatus.BAD_REQUEST)


def _case(pk: uuid.UUID) -> Case:
    return get_object_or_404(cases_with_details(), pk=pk)


def _account_case(pk: uuid.UUID) -> Case:
    return get_object_or_404(cases_with_details(), pk=pk, campaign=None)


def _render_page(
    request: StaffRequest, case: Case, *, status: HTTPStatus = HTTPStatus.OK, **special: Any
) -> HttpResponse:
    if case.campaign_id is not None:
        return render_campaign(request, case.campaign, case, status=status, **special)
    now = timezone.now()
    forms = {
        "decision_form": DecisionForm(),
        "excerpts_form": ExcerptsForm(),
        "lift_form": LiftForm(),
        "note_form": NoteForm(),
        "undo_form": UndoForm(),
    }
    context = {"case": case, "detail": CaseDetail(case, now=now), "now": now} | forms
    return _answer(request, "review/case.html", context | special, status=status)


def _success_response(request: StaffRequest, pk: uuid.UUID, message: str = "") -> HttpResponse:
    """What follows something that worked: the page as it is now, and the list beside it made new."""
    if message:
        messages.success(request, message)
    if not request.htmx:
        return redirect("review:case", pk=pk)
    return trigger_client_event(_render_page(request, _case(pk)), "queue-changed")


def _conflict_response(
    request: StaffRequest, pk: uuid.UUID, lost: Exception, *, unsent: DecisionForm | None = None
) -> HttpResponse:
    """Show the case as it is now, who was faster, and the decision that was not made."""
    response = _render_page(request, _case(pk), status=HTTPStatus.CONFLICT, part="case", lost=str(lost), unsent=unsent)
    return trigger_client_event(_instead_of(response, "case"), "queue-changed")


def _invalid_form_response(request: StaffRequest, case: Case, part: str, **forms: Any) -> HttpResponse:
    """The form again, with what is wrong at its fields."""
    response = _render_page(request, case, status=HTTPStatus.UNPROCESSABLE_ENTITY, part=part, **forms)
    return _instead_of(response, part)


def _instead_of(response: HttpResponse, part: str) -> HttpResponse:
    """Has htmx put the fragment in place of this part, whatever it was to change."""
    return reswap(retarget(response, f"#{part}"), "outerHTML")


def _answer(
    request: StaffRequest, template: str, context: dict[str, Any], *, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    part = context.get("part") or request.htmx.target
    if not request.htmx or part not in PARTS[template]:
        return HttpResponse(render_to_string(template, context, request), status=status)
    fragment = render_to_string(f"{template}#{part}", context, request)
    return HttpResponse(fragment + render_to_string("shell/toasts.html", {}, request), status=status)
