"""The cases of colleagues that a decision would close with its own."""

from datetime import datetime

from django.db.models import Q

from governance.review.decision_targets import decision_targets
from governance.review.models import SAID_BY, Case, Decision
from governance.review.verdicts import SeenMembers, Ticks, Verdict
from governance.staff.models import User


def claims_of_others(
    case: Case,
    verdict: Verdict,
    ticks: Ticks | None = None,
    seen: SeenMembers | None = None,
    *,
    by: User,
    now: datetime,
) -> list[Case]:
    """Return the other cases that this verdict would close and another person has claimed."""
    if verdict.scope == Decision.Scope.ACCOUNT:
        return []
    covered = decision_targets(case, verdict, ticks, seen).covered
    claimed = Case.objects.claimed(at=now).filter(covered, status=Case.Status.OPEN)
    others = claimed.exclude(pk=case.pk).exclude(claimed_by=by)
    return list(others.select_related("account", "campaign", "claimed_by").distinct().order_by("pk"))


def cases_put_off(case: Case, verdict: Verdict, ticks: Ticks, *, by: User, now: datetime) -> list[Case]:
    """Return the other cases that this verdict would close and that another person has claimed, or that are escalated,
    on hold or assigned to others.
    """
    is_claimed = Q(pk__in=Case.objects.claimed(at=now).exclude(claimed_by=by).values("pk"))
    is_put_off = Q(escalated_at__isnull=False) | Q(held_until__gt=now)
    is_put_off |= Q(assigned_to__isnull=False) & ~Q(assigned_to=by)
    covered = Case.objects.filter(decision_targets(case, verdict, ticks).covered, status=Case.Status.OPEN)
    found = covered.exclude(pk=case.pk).filter(is_claimed | is_put_off)
    return list(found.select_related("account", "campaign", "claimed_by", *SAID_BY).distinct().order_by("pk"))
