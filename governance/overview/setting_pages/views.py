"""The pages of settings: due-date targets and reasons, what is only shown, and the history of changes."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from governance.configuration.actions import set_due_targets, set_reason_settings
from governance.detection.queries import get_due_targets
from governance.detection.thresholds import DUE_AFTER
from governance.gateways.activity import list_known_gateways
from governance.overview.setting_pages.forms import HOUR, DueTargetsForm, ReasonSettingsForm, SettingHistoryForm
from governance.overview.setting_pages.queries import get_score_thresholds, get_setting_changes
from governance.overview.setting_pages.retention import get_retention
from governance.restrictions.reason_settings import get_reason_settings, usual_reason_settings
from governance.staff.roles import CHANGE_DUE_TARGETS, CHANGE_REASONS, VIEW_SETTINGS
from governance.web.counts import pluralize
from governance.web.requests import StaffRequest

PAGE = "configuration:settings"


@never_cache
@require_safe
@permission_required(VIEW_SETTINGS, raise_exception=True)
def settings(request: StaffRequest) -> HttpResponse:
    return _render_page(request)


@require_POST
@permission_required(CHANGE_DUE_TARGETS, raise_exception=True)
def edit_due_targets(request: StaffRequest) -> HttpResponse:
    form = DueTargetsForm(request.POST, targets=get_due_targets())
    if not form.is_valid():
        return _render_page(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, due_form=form)
    usual = {band.value: after // HOUR for band, after in DUE_AFTER.items()}
    changed = set_due_targets(form.cleaned_data, defaults=usual, by=request.user, now=timezone.now())
    said = f"Due within: {pluralize(len(changed), 'band')} changed." if changed else "Nothing was changed."
    messages.success(request, said)
    return redirect(PAGE)


@require_POST
@permission_required(CHANGE_REASONS, raise_exception=True)
def edit_reason_settings(request: StaffRequest) -> HttpResponse:
    form = ReasonSettingsForm(request.POST, stored=get_reason_settings())
    if not form.is_valid():
        return _render_page(request, status=HTTPStatus.UNPROCESSABLE_ENTITY, reasons_form=form)
    changed = set_reason_settings(form.reasons(), defaults=usual_reason_settings(), by=request.user, now=timezone.now())
    messages.success(request, f"{pluralize(len(changed), 'reason')} changed." if changed else "Nothing was changed.")
    return redirect(PAGE)


@never_cache
@require_safe
@permission_required(VIEW_SETTINGS, raise_exception=True)
def setting_history(request: StaffRequest) -> HttpResponse:
    form = SettingHistoryForm(request.GET)
    if not form.is_valid():
        return render(request, "400.html", {"complaint": form.complaint}, status=HTTPStatus.BAD_REQUEST)
    before = form.cleaned_data["before"]
    context = {"page": get_setting_changes(before=before), "before": before, "now": timezone.now()}
    return render(request, "overview/settings/history.html", context)


def _render_page(request: StaffRequest, *, status: HTTPStatus = HTTPStatus.OK, **special: Any) -> HttpResponse:
    now = timezone.now()
    context = {
        "lines": get_score_thresholds(),
        "due_form": special.pop("due_form", None) or DueTargetsForm(targets=get_due_targets()),
        "reasons_form": special.pop("reasons_form", None) or ReasonSettingsForm(stored=get_reason_settings()),
        "gateways": list_known_gateways(now=now),
        "retention": get_retention(now=now),
        "now": now,
    }
    return render(request, "overview/settings/settings.html", context | special, status=status)
