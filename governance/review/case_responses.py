"""Answers of the case pages and of the queue. A fragment is a part of its page: same view, same address, same template.

An htmx request names the element that is to change; where a template has a partial of that name, the answer
is that partial. Without JavaScript the same addresses answer with whole pages and redirects.
"""

import uuid
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect, push_url, reswap, retarget, trigger_client_event

from governance.review.campaigns.views import campaign_case_url, render_campaign
from governance.review.case_detail import CaseDetail, cases_with_details
from governance.review.forms import DecisionForm, ExcerptsForm, LiftForm, NoteForm, UndoForm
from governance.review.handing_out import claim_next
from governance.review.models import Case
from governance.review.queue_filters import QueueFilter
from governance.review.queue_forms import QueueForm, clean_query
from governance.review.work_context import list_given, work_context
from governance.web.requests import StaffRequest

PARTS = {
    "review/queue.html": {"queue", "cases", "views"},
    "review/case.html": {
        "case",
        "claim",
        "work",
        "decide",
        "excerpts",
        "force",
        "history",
        "decision-progress",
        "restrictions",
    },
}


def unreadable_address(request: StaffRequest, complaint: str) -> HttpResponse:
    return render(request, "400.html", {"complaint": complaint}, status=HTTPStatus.BAD_REQUEST)


def find_case(pk: uuid.UUID) -> Case:
    return get_object_or_404(cases_with_details(at=timezone.now()), pk=pk)


def find_account_case(pk: uuid.UUID) -> Case:
    return get_object_or_404(cases_with_details(at=timezone.now()), pk=pk, campaign=None)


def render_case_page(
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
    context |= work_context(request, case, now=now)
    return render_part(request, "review/case.html", context | special, status=status)


def next_response(request: StaffRequest, case: Case, message: str = "") -> HttpResponse:
    """Go on from a case to the one that Next hands out of the same list. A message says which one is the user's now."""
    form = QueueForm(list_given(request))
    queue_filter = form.queue_filter() if form.is_valid() else QueueFilter()
    found = claim_next(queue_filter, leaving=case.pk, by=request.user, now=timezone.now())
    if message:
        messages.success(request, f"{message} Next, and claimed for you: {found.subject}." if found else message)
    return go_to_case(request, found) if found is not None else go_to_queue(request, queue_filter)


def go_to_case(request: StaffRequest, case: Case) -> HttpResponse:
    """Show another case of the same list, in the place of this one."""
    query = clean_query(list_given(request))
    address = f"{reverse('review:case', args=[case.pk])}{f'?{query}' if query else ''}"
    if case.campaign_id is not None:
        address = campaign_case_url(case, query)
    if not request.htmx:
        return redirect(address)
    response = render_case_page(request, find_case(case.pk), part="case", is_arrival=True)
    response = push_url(response, address)
    response["HX-Reswap"] = "outerHTML show:window:top"
    return trigger_client_event(response, "queue-changed", after="settle")  # the case is shown first


def go_to_queue(request: StaffRequest, queue_filter: QueueFilter) -> HttpResponse:
    messages.info(request, "No free case in this list." if queue_filter.is_narrowed else "No cases waiting.")
    address = reverse("review:queue")
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def success_response(request: StaffRequest, pk: uuid.UUID, message: str = "") -> HttpResponse:
    """What follows something that worked: the page as it is now, and the list beside it made new."""
    if message:
        messages.success(request, message)
    if not request.htmx:
        return go_to_case(request, find_case(pk))
    return trigger_client_event(render_case_page(request, find_case(pk)), "queue-changed")


def conflict_response(
    request: StaffRequest, pk: uuid.UUID, lost: Exception, *, unsent: DecisionForm | None = None, unsaid: str = ""
) -> HttpResponse:
    """Show the case as it is now, who was faster, and the decision that was not made, or the text that was not
    stored.
    """
    kept = {"lost": str(lost), "unsent": unsent, "unsaid": unsaid}
    response = render_case_page(request, find_case(pk), status=HTTPStatus.CONFLICT, part="case", **kept)
    return trigger_client_event(_instead_of(response, "case"), "queue-changed")


def invalid_form_response(request: StaffRequest, case: Case, part: str, **forms: Any) -> HttpResponse:
    """The form again, with what is wrong at its fields."""
    response = render_case_page(request, case, status=HTTPStatus.UNPROCESSABLE_ENTITY, part=part, **forms)
    return _instead_of(response, part)


def _instead_of(response: HttpResponse, part: str) -> HttpResponse:
    """Has htmx put the fragment in place of this part, whatever it was to change."""
    return reswap(retarget(response, f"#{part}"), "outerHTML")


def render_part(
    request: StaffRequest, template: str, context: dict[str, Any], *, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    """Render a page, or the part of it that htmx asks for."""
    part = context.get("part") or request.htmx.target
    if not request.htmx or part not in PARTS[template]:
        return HttpResponse(render_to_string(template, context, request), status=status)
    fragment = render_to_string(f"{template}#{part}", context, request)
    return HttpResponse(fragment + render_to_string("shell/toasts.html", {}, request), status=status)
