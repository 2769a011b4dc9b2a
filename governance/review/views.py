"""The page of a case, and what is done there."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from governance.restrictions.models import Restriction
from governance.review import actions
from governance.review.campaigns.views import campaign_case_url
from governance.review.case_detail import CaseDetail
from governance.review.case_responses import (
    conflict_response,
    find_account_case,
    find_case,
    invalid_form_response,
    next_response,
    render_case_page,
    success_response,
)
from governance.review.cases_of_others import claims_of_others
from governance.review.decision_wording import describe_targets
from governance.review.forms import DecisionForm, ExcerptsForm, LiftForm, NoteForm, UndoForm
from governance.review.inbox import add_note_with_mentions
from governance.review.models import Case
from governance.review.queue_forms import clean_query
from governance.review.restrictions.queries import say_still_denied
from governance.review.undo import undo_decision
from governance.review.verdicts import LOST_RACES, CannotUndoError, NoMembersError, NoSuchScopeError
from governance.review.wording import outcome_word
from governance.review.work_context import forget_decision, list_given, remember_decision
from governance.staff.roles import LIFT_RESTRICTIONS, VIEW_CASES, WORK_CASES
from governance.web.requests import StaffRequest


@never_cache
@require_safe
@permission_required(VIEW_CASES, raise_exception=True)
def case(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    case = find_case(pk)
    if case.campaign_id is not None:
        return redirect(campaign_case_url(case, clean_query(list_given(request))))
    return render_case_page(request, case)


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def claim(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    case = find_case(pk)
    try:
        actions.claim(case, by=request.user, now=timezone.now())
    except LOST_RACES as lost:
        return conflict_response(request, pk, lost)
    return success_response(request, pk)


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def release(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    actions.release(find_case(pk), by=request.user, now=timezone.now())
    return success_response(request, pk)


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def note(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    case, form = find_case(pk), NoteForm(request.POST)
    if not form.is_valid():
        return invalid_form_response(request, case, "history", note_form=form)
    now = timezone.now()
    mentioned = add_note_with_mentions(case, text=form.cleaned_data["text"], by=request.user, now=now)
    names = ", ".join(user.name for user in mentioned.users)
    said = f"Note added. It is in the inbox of {names}." if names else "Note added."
    if mentioned.unknown:
        nobody = ", ".join(f"@{handle}" for handle in mentioned.unknown)
        messages.warning(request, f"No colleague is called {nobody}, so nobody was told.")
    return success_response(request, pk, said)


@never_cache
@require_POST
@permission_required(VIEW_CASES, raise_exception=True)
def excerpts(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the excerpts of prompts, this once: each showing is an entry of the log."""
    case, form = find_account_case(pk), ExcerptsForm(request.POST)
    if not form.is_valid():
        return invalid_form_response(request, case, "excerpts", excerpts_form=form)
    read = actions.read_excerpts(case, reason=form.cleaned_data["reason"], by=request.user, now=timezone.now())
    return render_case_page(request, case, part="excerpts", read=read)


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def decide(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return invalid_form_response(request, find_account_case(pk), "decide", decision_form=form)
    case = get_object_or_404(Case.objects.select_related("account__organisation"), pk=pk, campaign=None)
    decision_id, verdict, now = form.cleaned_data["decision"], form.verdict(), timezone.now()
    seen = form.cleaned_data["members_seen"]
    try:
        claimed = claims_of_others(case, verdict, seen, by=request.user, now=now)
        decision = actions.decide(case, verdict, decision_id=decision_id, seen=seen, by=request.user, now=now)
    except LOST_RACES as lost:
        return conflict_response(request, pk, lost, unsent=form)
    except NoSuchScopeError as mistake:
        form.add_error("scope", str(mistake))
        return invalid_form_response(request, find_account_case(pk), "decide", decision_form=form)
    taken = "".join(f" {one.claimed_by} had claimed the case of {one.subject}." for one in claimed)
    said = f"{describe_targets(decision)}: {outcome_word(decision.action)}.{taken}"
    remember_decision(request, case, outcome_word(decision.action), now=now)
    if request.POST.get("then") == "next":
        messages.success(request, said)
        return next_response(request, case)
    return success_response(request, pk, said)


@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def reopen(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Leads to the new case."""
    try:
        reopened = actions.reopen(find_case(pk), by=request.user, now=timezone.now())
    except NoMembersError as reason:
        return conflict_response(request, pk, reason)
    return redirect("review:case", pk=reopened.pk)


@require_POST
@permission_required((LIFT_RESTRICTIONS, WORK_CASES), raise_exception=True)
def undo(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Undo the decision on the case, with all that it put into force."""
    case, form = find_case(pk), UndoForm(request.POST)
    if not form.is_valid():
        return invalid_form_response(request, case, "decide", undo_form=form)
    return _undone(request, case, note=form.cleaned_data["note"])


@require_POST
@permission_required(LIFT_RESTRICTIONS, raise_exception=True)
def lift(request: StaffRequest, pk: uuid.UUID, number: int) -> HttpResponse:
    """Lift one restriction. Soon after the decision that made it, lifting it from its own case is undoing that."""
    case, form = find_account_case(pk), LiftForm(request.POST)
    detail = CaseDetail(case, now=timezone.now())
    shown = next((one for one in detail.restrictions if one.number == number), None)
    restriction = shown or get_object_or_404(Restriction.objects.against(case.own_account), number=number)
    is_own = detail.decision is not None and detail.decision.origin == restriction.origin
    if not form.is_valid():
        part = "decide" if is_own else "restrictions"
        return invalid_form_response(request, case, part, detail=detail, lift_form=form, lifting=number)
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
    return success_response(request, pk, f"{'Restriction removed.' if lifted else 'It had already ended.'}{still}")


def _undone(request: StaffRequest, case: Case, *, note: str) -> HttpResponse:
    try:
        done = undo_decision(case, note=note, by=request.user, now=timezone.now())
    except CannotUndoError as lost:
        return conflict_response(request, case.pk, lost, unsaid=note)
    forget_decision(request, case)
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
    return success_response(request, case.pk, message + say_still_denied(case, now=timezone.now()))
