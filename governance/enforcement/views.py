"""Whether what was decided is in force: the page, and the banner of every page where something is not."""

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from governance.enforcement.fleet import gateways, in_force_by_kind, repairs
from governance.enforcement.models import Restriction
from governance.enforcement.proof import alarm as find_alarm
from governance.enforcement.proof import standing
from governance.staff.roles import VIEW_ENFORCEMENT
from governance.web.requests import StaffRequest

NEWEST_SHOWN = 12


@never_cache
@require_safe
@permission_required(VIEW_ENFORCEMENT, raise_exception=True)
def enforcement(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    newest = list(
        Restriction.objects.in_force(at=now)
        .exclude(kind=Restriction.Kind.WATCH)
        .select_related("account", "key", "organisation")[:NEWEST_SHOWN]
    )
    at = standing([restriction.number for restriction in newest], now=now)
    context = {
        "gateways": gateways(now=now),
        "counts": in_force_by_kind(now=now),
        "newest": [(restriction, at[restriction.number]) for restriction in newest],
        "repairs": repairs(),
        "fail_closed_plans": settings.FAIL_CLOSED_PLANS,
        "now": now,
    }
    return render(request, "enforcement/enforcement.html", context)


@never_cache
@require_safe
@permission_required(VIEW_ENFORCEMENT, raise_exception=True)
def alarm(request: StaffRequest) -> HttpResponse:
    return render(request, "enforcement/alarm.html", {"alarm": find_alarm(now=timezone.now())})
