"""The pages of accounts and organisations, and the search. Fragments are parts of their pages, as in review.views."""

from http import HTTPStatus
from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import OuterRef
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect, push_url, reswap, retarget

from accounts.models import Account, Organisation
from governance.campaigns.explanation import explanation_note
from governance.investigation import actions
from governance.investigation.account_detail import AccountDetail, accounts_with_details
from governance.investigation.account_list import list_accounts
from governance.investigation.asking import get_ways_of_asking
from governance.investigation.finders import ResultKind
from governance.investigation.forms import (
    AccountListForm,
    AccountPageForm,
    OpenCaseForm,
    OrganisationPageForm,
    SearchForm,
    WatchForm,
)
from governance.investigation.organisation_detail import OrganisationDetail
from governance.investigation.palette import find_destinations
from governance.investigation.search import search, search_kind
from governance.privacy.models import hold_reasons
from governance.review.forms import AddressForm
from governance.review.models import Case
from governance.review.opening_by_hand import AlreadyOpenError, NotAssessedError, open_case_by_hand
from governance.staff.roles import VIEW_ACCOUNTS, WATCH_ACCOUNTS, WORK_CASES
from governance.web.requests import StaffRequest, page_of

T = TypeVar("T")

PARTS = {
    "investigation/accounts.html": {"accounts"},
    "investigation/account.html": {"usage", "watch", "open-case"},
    "investigation/asking.html": {"asking"},
    "investigation/explanation.html": {"explanation"},
    "investigation/search.html": {"results", "palette-results"},
}
# The palette shows a few of each kind, and counts none.
IN_THE_PALETTE = 4


@never_cache
@require_safe
@permission_required(VIEW_ACCOUNTS, raise_exception=True)
def accounts(request: StaffRequest) -> HttpResponse:
    form = AccountListForm(request.GET)
    if not form.is_valid():
        return _unreadable(request, form)
    wanted = form.account_filter()
    context = {"form": form, "wanted": wanted, "page": list_accounts(wanted), "now": timezone.now()}
    response = _answer(request, "investigation/accounts.html", context)
    return _with_address(request, response)


@never_cache
@require_safe
@permission_required(VIEW_ACCOUNTS, raise_exception=True)
def account(request: StaffRequest, external_id: str) -> HttpResponse:
    return _account_page(request, external_id)


@never_cache
@require_safe
@permission_required(VIEW_ACCOUNTS, raise_exception=True)
def explanation(request: StaffRequest, external_id: str) -> HttpResponse:
    """The same text as `manage.py explain` prints."""
    found = _found(Account.objects.select_related("organisation").filter(external_id=external_id).first())
    context = {"account": found, "note": explanation_note(found)}
    return _answer(request, "investigation/explanation.html", context)


@never_cache
@require_safe
@permission_required(VIEW_ACCOUNTS, raise_exception=True)
def ways_of_asking(request: StaffRequest, external_id: str) -> HttpResponse:
    """Templates and parameters, which take longer to add up than all else on the page of an account."""
    found = _account(external_id)
    return _answer(request, "investigation/asking.html", {"account": found, "ways": get_ways_of_asking(found)})


@require_POST
@permission_required([VIEW_ACCOUNTS, WORK_CASES], raise_exception=True)
def open_case(request: StaffRequest, external_id: str) -> HttpResponse:
    """Open a case by hand, and lead to it."""
    found, form = _account(external_id), OpenCaseForm(request.POST)
    if not form.is_valid():
        return _invalid(request, external_id, "open-case", open_form=form)
    try:
        opened = open_case_by_hand(found, reason=form.cleaned_data["reason"], by=request.user, now=timezone.now())
    except AlreadyOpenError as faster:
        messages.info(request, str(faster))
        return _leads_to(request, faster.case)
    except NotAssessedError:
        form.add_error("reason", "It has not been scored yet. A case needs a score.")
        return _invalid(request, external_id, "open-case", open_form=form)
    messages.success(request, f"Case of {found} opened.")
    return _leads_to(request, opened)


@require_POST
@permission_required([VIEW_ACCOUNTS, WATCH_ACCOUNTS], raise_exception=True)
def watch_account(request: StaffRequest, external_id: str) -> HttpResponse:
    found, form = _account(external_id), WatchForm(request.POST)
    if not form.is_valid():
        return _invalid(request, external_id, "watch", watch_form=form)
    is_new = actions.watch(found, reason=form.cleaned_data["reason"], by=request.user, now=timezone.now())
    messages.success(request, "Put on the watch-list." if is_new else "It was on the watch-list already.")
    return _changed(request, external_id, "watch")


@require_POST
@permission_required([VIEW_ACCOUNTS, WATCH_ACCOUNTS], raise_exception=True)
def unwatch_account(request: StaffRequest, external_id: str) -> HttpResponse:
    found, form = _account(external_id), WatchForm(request.POST)
    if not form.is_valid():
        return _invalid(request, external_id, "watch", watch_form=form)
    was_on = actions.unwatch(found, reason=form.cleaned_data["reason"], by=request.user, now=timezone.now())
    messages.success(request, "Taken off the watch-list." if was_on else "It was not on the watch-list.")
    return _changed(request, external_id, "watch")


@never_cache
@require_safe
@permission_required(VIEW_ACCOUNTS, raise_exception=True)
def organisation(request: StaffRequest, external_id: str) -> HttpResponse:
    form = OrganisationPageForm(request.GET)
    if not form.is_valid():
        return _unreadable(request, form)
    found, now = (
        _found(
            Organisation.objects.filter(external_id=external_id)
            .annotate(hold_reasons=hold_reasons(organisation=OuterRef("pk")))
            .first()
        ),
        timezone.now(),
    )
    detail = OrganisationDetail(found, after=form.cleaned_data["after"], now=now)
    context = {"organisation": found, "detail": detail, "page": detail.accounts, "now": now}
    return render(request, "investigation/organisation.html", context)


@never_cache
@require_safe
@permission_required(VIEW_ACCOUNTS, raise_exception=True)
def search_page(request: StaffRequest) -> HttpResponse:
    """Search in everything; for the palette also the pages and actions that the words name."""
    form = SearchForm(request.GET)
    if not form.is_valid():
        return _unreadable(request, form)
    text, kind, after = (form.cleaned_data[name] for name in ("q", "kind", "after"))
    in_palette = bool(request.htmx) and request.htmx.target == "palette-results"
    if kind:
        results = search_kind(text, ResultKind(kind), after=after)
    elif in_palette:
        results = search(text, shown=IN_THE_PALETTE, counted=IN_THE_PALETTE)
    else:
        results = search(text)
    context = {"text": text, "kind": kind, "after": after, "results": results, "now": timezone.now()}
    if in_palette or not kind:
        context["destinations"] = find_destinations(text, user=request.user)
    return _with_address(request, _answer(request, "investigation/search.html", context))


def _found(row: T | None) -> T:
    if row is None:
        raise Http404
    return row


def _account(external_id: str) -> Account:
    return _found(Account.objects.filter(external_id=external_id).first())


def _account_page(
    request: StaffRequest, external_id: str, *, status: HTTPStatus = HTTPStatus.OK, **special: Any
) -> HttpResponse:
    form = AccountPageForm(request.GET)
    if not form.is_valid():
        return _unreadable(request, form)
    found = _found(accounts_with_details().filter(external_id=external_id).first())
    now = timezone.now()
    detail = AccountDetail(found, period=form.period_chosen(), now=now)
    forms = {"open_form": OpenCaseForm(), "watch_form": WatchForm()}
    context = {"account": found, "detail": detail, "form": form, "now": now} | forms
    return _answer(request, "investigation/account.html", context | special, status=status)


def _invalid(request: StaffRequest, external_id: str, part: str, **forms: Any) -> HttpResponse:
    """The form again, with what is wrong at its field."""
    response = _account_page(request, external_id, status=HTTPStatus.UNPROCESSABLE_ENTITY, part=part, **forms)
    return reswap(retarget(response, f"#{part}"), "outerHTML")


def _changed(request: StaffRequest, external_id: str, part: str) -> HttpResponse:
    if not request.htmx:
        return redirect("investigation:account", external_id=external_id)
    return _account_page(request, external_id, part=part)


def _leads_to(request: StaffRequest, case: Case) -> HttpResponse:
    leads_to = redirect("review:case", pk=case.pk)
    return HttpResponseClientRedirect(leads_to.url) if request.htmx else leads_to


def _with_address(request: StaffRequest, response: HttpResponse) -> HttpResponse:
    """Have a page that changes a part of itself show the address of what it shows."""
    shown = page_of(request.htmx)
    if shown.partition("?")[0] == request.path and shown != request.get_full_path():
        push_url(response, request.get_full_path())
    return response


def _unreadable(request: StaffRequest, form: AddressForm) -> HttpResponse:
    return render(request, "400.html", {"complaint": form.complaint}, status=HTTPStatus.BAD_REQUEST)


def _answer(
    request: StaffRequest, template: str, context: dict[str, Any], *, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    part = context.get("part") or request.htmx.target
    if not request.htmx or part not in PARTS[template]:
        return HttpResponse(render_to_string(template, context, request), status=status)
    fragment = render_to_string(f"{template}#{part}", context, request)
    return HttpResponse(fragment + render_to_string("shell/toasts.html", {}, request), status=status)
