"""The cases of colleagues that a decision would close with its own."""

from datetime import datetime

from django.db.models import Q

from governance.review.decision_targets import decision_targets
from governance.review.models import SAID_BY, Case, CaseQuerySet, Decision
from governance.review.verdicts import SeenMembers, Ticks, Verdict
from governance.staff.models import User


def claims_of_others(case: Case, verdict: Verdict, seen: SeenMembers | None, *, by: User, now: datetime) -> list[Case]:
    """Return the other cases that this verdict on the case of an account would close and another person has claimed."""
    if verdict.scope == Decision.Scope.ACCOUNT:
        return []
    covered = decision_targets(case, verdict, seen=seen).covered
    return _listed(Case.objects.filter(covered, _is_claimed(by=by, now=now)), but=case)


def cases_of_others(case: Case, verdict: Verdict, ticks: Ticks, *, by: User, now: datetime) -> list[Case]:
    """Return the other cases that this verdict on a campaign would close, and about which somebody else has said
    something: they are claimed, escalated, on hold or assigned.
    """
    covered = decision_targets(case, verdict, ticks).covered
    is_assigned = Q(assigned_to__isnull=False) & ~Q(assigned_to=by)
    is_put_off = Q(escalated_at__isnull=False) | Q(held_until__gt=now) | is_assigned
    return _listed(Case.objects.filter(covered, _is_claimed(by=by, now=now) | is_put_off), but=case)


def _is_claimed(*, by: User, now: datetime) -> Q:
    return Q(pk__in=Case.objects.claimed(at=now).exclude(claimed_by=by).values("pk"))


def _listed(cases: CaseQuerySet, *, but: Case) -> list[Case]:
    others = cases.filter(status=Case.Status.OPEN).exclude(pk=but.pk)
    return list(others.select_related("account", "campaign", "claimed_by", *SAID_BY).distinct().order_by("pk"))
