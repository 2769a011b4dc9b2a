"""The pages of the audit log: read, prove, export."""

from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from governance.audit.models import Entry
from governance.audit.queries import leaf_of, list_actors
from governance.audit.stillwatch_verify import LogFaultError
from governance.overview.log_pages.exports import MOST, TooManyEntriesError, export_entries
from governance.overview.log_pages.forms import ExportForm, LogForm
from governance.overview.log_pages.queries import EntryDetail, FileFormat, list_entries
from governance.review.forms import AddressForm
from governance.staff.roles import VIEW_LOG
from governance.web.requests import StaffRequest

CONTENT_TYPES: Final = {FileFormat.CSV: "text/csv", FileFormat.NDJSON: "application/x-ndjson"}


@never_cache
@require_safe
@permission_required(VIEW_LOG, raise_exception=True)
def log(request: StaffRequest) -> HttpResponse:
    form = LogForm(request.GET)
    if not form.is_valid():
        return _unreadable(request, form)
    wanted, before = form.log_filter(), form.cleaned_data["before"]
    context: dict[str, Any] = {
        "form": form,
        "wanted": wanted,
        "before": before,
        "page": list_entries(wanted, before=before),
        "actors": list_actors(),
        "formats": FileFormat.choices,
        "most": MOST,
    }
    return render(request, "overview/log/log.html", context)


@never_cache
@require_safe
@permission_required(VIEW_LOG, raise_exception=True)
def entry(request: StaffRequest, number: int) -> HttpResponse:
    return render(request, "overview/log/entry.html", {"detail": _detail(number)})


@never_cache
@require_safe
@permission_required(VIEW_LOG, raise_exception=True)
def proof(_request: StaffRequest, number: int) -> HttpResponse:
    """The proof as a file, as C2SP tlog-proof writes it."""
    found = _detail(number).proof
    if found is None:
        raise Http404
    return _file(found.text, f"entry-{number}.tlog-proof", "text/plain")


@never_cache
@require_safe
@permission_required(VIEW_LOG, raise_exception=True)
def leaf(_request: StaffRequest, number: int) -> HttpResponse:
    """What was published of the entry, byte for byte: what the proof is about."""
    try:
        content = leaf_of(_detail(number).entry)
    except LogFaultError as fault:
        raise Http404 from fault
    return _file(content, f"entry-{number}.json", "application/json")


@never_cache
@require_POST
@permission_required(VIEW_LOG, raise_exception=True)
def export(request: StaffRequest) -> HttpResponse:
    form = ExportForm(request.POST)
    if not form.is_valid():
        return _unreadable(request, form)
    wanted, file_format = form.log_filter(), FileFormat(form.cleaned_data["file_format"])
    now = timezone.now()
    try:
        content = export_entries(wanted, file_format, by=request.user.actor, now=now)
    except TooManyEntriesError as error:
        messages.error(request, str(error))
    except LogFaultError as fault:
        messages.error(request, f"Nothing was exported: {fault}.")
    except OSError as error:
        messages.error(request, f"Nothing was exported: the published log cannot be read here ({error.strerror}).")
    else:
        return _file(content, f"audit-log-{now:%Y%m%dT%H%M%SZ}.{file_format}", CONTENT_TYPES[file_format])
    return redirect(reverse("log:log", query=wanted.as_details()))


def _detail(number: int) -> EntryDetail:
    return EntryDetail(get_object_or_404(Entry, number=number))


def _file(content: str | bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=f"{content_type}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _unreadable(request: StaffRequest, form: AddressForm) -> HttpResponse:
    return render(request, "400.html", {"complaint": form.complaint}, status=HTTPStatus.BAD_REQUEST)
