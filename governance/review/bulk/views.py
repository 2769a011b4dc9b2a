"""The pages of decisions about many accounts: looked at, decided, followed, undone."""

import uuid
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from governance.review.bulk.actions import BulkSentBeforeError, NoSuchAccountsError, decide_many, start_undoing_all
from governance.review.bulk.detail import BulkDecisionDetail
from governance.review.bulk.forms import (
    BulkDecisionForm,
    SeenField,
    TickedAccountsForm,
    explain_too_many,
    name_of_draft,
)
from governance.review.bulk.preview import preview_bulk_decision
from governance.review.forms import UndoForm
from governance.review.models import BulkDecision
from governance.review.verdicts import CannotUndoError
from governance.staff.roles import LIFT_RESTRICTIONS, VIEW_CASES, WORK_CASES
from governance.web.requests import StaffRequest


@never_cache
@permission_required(WORK_CASES, raise_exception=True)
def bulk_preview(request: StaffRequest) -> HttpResponse:
    """Show whom a decision about the ticked accounts would hit; nothing is changed.

    What a list sends leads to an address with the accounts, so that the page can be loaded again.
    """
    if request.method not in {"GET", "HEAD", "POST"}:
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    form = TickedAccountsForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        return render(request, "400.html", {"complaint": form.complaint}, status=HTTPStatus.BAD_REQUEST)
    accounts: frozenset[int] = form.cleaned_data["accounts"]
    if request.method == "POST" and not explain_too_many(len(accounts)):
        listed = ",".join(map(str, sorted(accounts)))
        return redirect(f"{reverse('review:bulk')}?{urlencode({'accounts': listed}, safe=',')}")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if explain_too_many(len(accounts)) else HTTPStatus.OK
    return _render_preview(
        request, BulkDecisionForm(), accounts, too_many=explain_too_many(len(accounts)), status=status
    )


@never_cache
@require_POST
@permission_required(WORK_CASES, raise_exception=True)
def make_bulk_decision(request: StaffRequest) -> HttpResponse:
    form = BulkDecisionForm(request.POST)
    if not form.is_valid():
        return _render_again(request, form)
    given = form.cleaned_data
    try:
        bulk = decide_many(
            given["accounts"],
            form.verdict(),
            bulk_id=given["decision"],
            seen=given["seen"].number,
            seen_at=given["seen"].at,
            by=request.user,
            now=timezone.now(),
        )
    except NoSuchAccountsError as mistake:
        form.add_error(mistake.field, str(mistake))
        return _render_again(request, form)
    except BulkSentBeforeError as changed:
        note = form.cleaned_data["note"]
        return _render_page(request, changed.bulk.pk, lost=str(changed), unsent=note, status=HTTPStatus.CONFLICT)
    return redirect("review:bulk-decision", pk=bulk.pk)


@never_cache
@require_safe
@permission_required(VIEW_CASES, raise_exception=True)
def bulk_decision(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    return _render_page(request, pk)


@require_POST
@permission_required((LIFT_RESTRICTIONS, WORK_CASES), raise_exception=True)
def undo_bulk_decision(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Undo all decisions that it made, one after the other."""
    bulk, form = get_object_or_404(BulkDecision, pk=pk), UndoForm(request.POST)
    if not form.is_valid():
        return _render_page(request, pk, undo_form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        start_undoing_all(bulk, note=form.cleaned_data["note"], by=request.user, now=timezone.now())
    except CannotUndoError as lost:
        return _render_page(request, pk, lost=str(lost), status=HTTPStatus.CONFLICT)
    return redirect("review:bulk-decision", pk=pk)


def _render_again(request: StaffRequest, form: BulkDecisionForm) -> HttpResponse:
    """Show the form with what is wrong, and with what was typed and ticked."""
    listed, ticked = form.shown()
    return _render_preview(request, form, listed, ticked=ticked, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _render_preview(
    request: StaffRequest,
    form: BulkDecisionForm,
    accounts: frozenset[int],
    *,
    ticked: frozenset[int] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
    **special: Any,
) -> HttpResponse:
    found = preview_bulk_decision(accounts, ticked=ticked, by=request.user, now=timezone.now())
    context = {"form": form, "preview": found, "draft": name_of_draft(accounts)}
    context["seen"] = form["seen"].value() if form.is_bound else SeenField.sign(found.seen, found.seen_at)
    context["undo_minutes"] = settings.UNDO_MINUTES
    return render(request, "review/bulk/preview.html", context | special, status=status)


def _render_page(
    request: StaffRequest, pk: uuid.UUID, *, status: HTTPStatus = HTTPStatus.OK, **special: Any
) -> HttpResponse:
    now = timezone.now()
    bulk = get_object_or_404(BulkDecision.objects.select_related("decided_by", "undone_by"), pk=pk)
    context = {"bulk": bulk, "detail": BulkDecisionDetail(bulk, now=now), "undo_form": UndoForm(), "now": now}
    context |= {"undo_minutes": settings.UNDO_MINUTES} | special
    if request.htmx.target == "bulk-state":
        return HttpResponse(render_to_string("review/bulk/page.html#state", context, request))
    return render(request, "review/bulk/page.html", context, status=status)
