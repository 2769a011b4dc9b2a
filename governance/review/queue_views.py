"""The queue, Next, saved views and the inbox."""

import re
import uuid
from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import push_url

from governance.review import saved_views
from governance.review.case_responses import go_to_case, go_to_queue, render_part, unreadable_address
from governance.review.handing_out import claim_next, find_next_case
from governance.review.inbox import colleagues, count_inbox, get_inbox, mark_all_read, mark_read
from governance.review.mentions import handle_of
from governance.review.models import SavedView
from governance.review.queries import queue_counts, queue_page
from governance.review.queue_filters import QueueColumn
from governance.review.queue_forms import InboxForm, NextForm, QueueForm, SaveViewForm, clean_query, parse_query
from governance.review.work_context import list_given
from governance.staff.roles import VIEW_CASES, WORK_CASES
from governance.web.requests import StaffRequest, page_of

_ITEM: Final = re.compile("[0-9]{1,18}")  # what a bigint holds for certain


@never_cache
@require_safe
@permission_required(VIEW_CASES, raise_exception=True)
def queue(request: StaffRequest) -> HttpResponse:
    response, page_shown = _render_queue(request, request.GET), page_of(request.htmx)
    is_list_alone = request.htmx.target == "views"
    if not is_list_alone and page_shown.partition("?")[0] == request.path and page_shown != request.get_full_path():
        push_url(response, request.get_full_path())
    return response


def _render_queue(
    request: StaffRequest, query: QueryDict, *, status: HTTPStatus = HTTPStatus.OK, **special: Any
) -> HttpResponse:
    """The list that a query asks for, or the part of its page that htmx asks for."""
    form, now = QueueForm(query), timezone.now()
    if not form.is_valid():
        return unreadable_address(request, form.complaint)
    queue_filter = form.queue_filter()
    context: dict[str, Any] = {
        "form": form,
        "queue_filter": queue_filter,
        "all_columns": QueueColumn,
        "address": clean_query(query),
        "is_beside_case": page_of(request.htmx).startswith(("/cases/", "/campaigns/")),
        "now": now,
    }
    if request.htmx.target == "views":
        context["views"] = saved_views.list_views(request.user, now=now, is_counted=True)
    else:
        context["page"] = queue_page(queue_filter, user=request.user, now=now)
        context["counts"] = queue_counts(user=request.user, now=now)
        if request.htmx.target != "cases":
            context["views"] = saved_views.list_views(request.user, now=now, is_counted=False)
            context["colleagues"] = list(colleagues())
    return render_part(request, "review/queue.html", context | special, status=status)


@permission_required(VIEW_CASES, raise_exception=True)
def next_case(request: StaffRequest) -> HttpResponse:
    """Lead on to the case to work on after `?after=…`, within the list of the filter; to the queue when nothing waits.

    POST claims it; GET is for those who only look.
    """
    if request.method not in {"GET", "HEAD", "POST"}:
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    form, now = NextForm(list_given(request)), timezone.now()
    if not form.is_valid():
        return unreadable_address(request, form.complaint)
    queue_filter, leaving = form.queue_filter(), form.cleaned_data["after"]
    if request.method == "POST" and request.user.has_perm(WORK_CASES):
        found = claim_next(queue_filter, leaving=leaving, by=request.user, now=now)
    else:
        found = find_next_case(queue_filter, leaving=leaving, user=request.user, now=now)
    if found is not None:
        return go_to_case(request, found)
    return go_to_queue(request, queue_filter)


@require_POST
@permission_required(VIEW_CASES, raise_exception=True)
def save_view(request: StaffRequest) -> HttpResponse:
    form, now = SaveViewForm(request.POST), timezone.now()
    query = parse_query(list_given(request) if "view" in request.POST else QueryDict(request.POST.get("query", "")))
    mistake = "" if form.is_valid() else form.complaint
    if query is None:
        mistake = "This is no list of cases. Reload the page."
    elif not mistake:
        name, is_shared = form.cleaned_data["name"], form.cleaned_data["is_shared"]
        try:
            saved_views.save_view(name, query=query, is_shared=is_shared, by=request.user, now=now)
            messages.success(request, f"View saved: {name}.")
        except saved_views.TooManyViewsError as many:
            mistake = str(many)
    if not request.htmx and not mistake:
        return redirect(f"{reverse('review:queue')}{f'?{query}' if query else ''}")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if mistake else HTTPStatus.OK
    kept = {"address": query or "", "view_mistake": mistake, "view_form": form if mistake else None}
    if not request.htmx:
        return _render_queue(request, QueryDict(query or ""), status=status, **kept)
    context = {"views": saved_views.list_views(request.user, now=now, is_counted=True)} | kept
    return render_part(request, "review/queue.html", context | {"part": "views"}, status=status)


@require_POST
@permission_required(VIEW_CASES, raise_exception=True)
def remove_view(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    view = get_object_or_404(SavedView, pk=pk, owner=request.user)
    saved_views.remove_view(view, by=request.user, now=timezone.now())
    messages.success(request, f"View removed: {view.name}.")
    return redirect("review:queue")


@never_cache
@require_safe
@permission_required(VIEW_CASES, raise_exception=True)
def inbox(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    if request.htmx.target == "inbox-count":
        return render(request, "review/inbox_count.html", {"unread": count_inbox(request.user, now=now)})
    form = InboxForm(request.GET)
    if not form.is_valid():
        return unreadable_address(request, form.complaint)
    after = form.cleaned_data["after"]
    found = get_inbox(request.user, now=now, after=after)
    return render(request, "review/inbox.html", {"inbox": found, "is_first_page": after is None, "now": now})


@require_POST
@permission_required(VIEW_CASES, raise_exception=True)
def read_inbox(request: StaffRequest) -> HttpResponse:
    """Mark some items as read, or all up to the newest that the page showed."""
    now, newest = timezone.now(), request.POST.get("newest", "")
    items = [int(item) for item in request.POST.getlist("item") if _ITEM.fullmatch(item)][:200]
    mark_read(request.user, items, now=now)
    if _ITEM.fullmatch(newest):
        mark_all_read(request.user, newest=int(newest), now=now)
    return redirect("review:inbox")


@require_safe
@permission_required(WORK_CASES, raise_exception=True)
def list_colleagues(request: StaffRequest) -> HttpResponse:
    """Return the options for fields that name a colleague."""
    people = [(user, handle_of(user.email)) for user in colleagues()]
    return render(request, "review/colleagues.html", {"people": people})
