"""The page of a case on which bundles of evidence are asked for, followed and downloaded."""

import uuid
from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from governance.evidence import actions
from governance.evidence.forms import EvidenceForm, empty_form
from governance.evidence.models import EvidenceBundle
from governance.review.models import Case
from governance.staff.roles import VIEW_CASES, VIEW_EVIDENCE
from governance.web.requests import StaffRequest

SHOWN = 20


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required([VIEW_CASES, VIEW_EVIDENCE], raise_exception=True)
def evidence(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the bundles of a case, and ask for another."""
    case = get_object_or_404(Case.objects.select_related("account", "campaign"), pk=pk)
    if request.method != "POST":
        return _render(request, case, empty_form())
    form = EvidenceForm(request.POST)
    if not form.is_valid():
        return _render(request, case, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    given = form.cleaned_data
    with_excerpts = given["excerpts"] and case.account_id is not None
    actions.request_bundle(
        case,
        bundle_id=given["bundle"],
        withheld_fields=given["redact"],
        excerpts_reason=given["reason"] if with_excerpts else "",
        by=request.user,
        now=timezone.now(),
    )
    return redirect("evidence:case", pk=pk)


@require_POST
@permission_required([VIEW_CASES, VIEW_EVIDENCE], raise_exception=True)
def download(request: StaffRequest, pk: uuid.UUID) -> HttpResponse:
    """The zip. Each download is an entry."""
    bundle = get_object_or_404(EvidenceBundle, pk=pk, state=EvidenceBundle.State.MADE)
    try:
        content = actions.download(bundle, by=request.user, now=timezone.now())
    except OSError as error:
        messages.error(request, f"The file cannot be read here ({error.strerror}). Make the bundle again.")
        return redirect("evidence:case", pk=bundle.case_id)
    response = HttpResponse(content, content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="evidence-{bundle.case_id}.zip"'
    return response


def _render(
    request: StaffRequest, case: Case, form: EvidenceForm, *, status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    bundles = list(case.evidence_bundles.select_related("requested_by")[:SHOWN])
    context = {
        "case": case,
        "form": form,
        "bundles": bundles,
        "is_at_work": any(one.state == EvidenceBundle.State.WAITING for one in bundles),
        "days": settings.EVIDENCE_DAYS,
        "now": timezone.now(),
    }
    if request.htmx.target == "evidence-bundles":
        return HttpResponse(render_to_string("evidence/page.html#bundles", context, request))
    return render(request, "evidence/page.html", context, status=status)
