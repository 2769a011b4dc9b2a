"""The first page after signing in: a reviewer's own day, and for leads the figures of everybody's work together."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from governance.overview import queries
from governance.overview.case_list import CaseListForm, list_cases
from governance.overview.drawings import draw_cases_by_day, draw_harm, draw_median, draw_waiting
from governance.overview.tables import TABLES
from governance.staff.roles import VIEW_CASES, VIEW_TEAM, WORK_CASES
from governance.web.requests import StaffRequest
from governance.web.spreadsheet import csv_response


@never_cache
@require_safe
@permission_required(VIEW_CASES, raise_exception=True)
def overview(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    team = _team(now) if request.user.has_perm(VIEW_TEAM) else {}
    my_day = None
    if request.user.has_perm(WORK_CASES):
        my_day = queries.get_my_day(request.user, now=now, counted=team.get("waiting"))
    return render(request, "overview/overview.html", team | {"my_day": my_day, "now": now})


def _team(now: datetime) -> dict[str, Any]:
    waiting, harm = queries.count_waiting(now=now), queries.get_harm(now=now)
    days = queries.get_case_counts_by_day(now=now, harm=harm)
    return {
        "waiting": waiting,
        "waiting_chart": draw_waiting(waiting),
        "ages": queries.AGES,
        "days": days,
        "days_chart": draw_cases_by_day(days),
        "median_chart": draw_median(days),
        "harm": harm,
        "harm_chart": draw_harm(harm),
        "missing": queries.count_missing_restrictions(now=now),
        "scoring": queries.get_scoring_state(),
    }


@never_cache
@require_safe
@permission_required(VIEW_CASES, raise_exception=True)
def cases(request: StaffRequest) -> HttpResponse:
    """The cases behind a figure."""
    form = CaseListForm(request.GET)
    if not form.is_valid():
        return render(request, "400.html", {"complaint": form.complaint}, status=HTTPStatus.BAD_REQUEST)
    wanted, now = form.case_filter(), timezone.now()
    return render(request, "overview/cases.html", {"wanted": wanted, "page": list_cases(wanted, now=now), "now": now})


@never_cache
@require_safe
@permission_required(VIEW_TEAM, raise_exception=True)
def export_chart_table(_request: StaffRequest, name: str) -> HttpResponse:
    """The table of a chart as a file for spreadsheets."""
    if name not in TABLES:
        raise Http404
    head, rows = TABLES[name](now=timezone.now())
    return csv_response(f"stillwatch-{name}", head, rows)
