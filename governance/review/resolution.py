"""Close cases whose account a decision about another case covers, and reopen them when it no longer holds."""

from collections import defaultdict
from datetime import datetime

from django.db.models import Q

from governance.audit.actor import Actor
from governance.detection.models import Assessment
from governance.review.case_opening import end_hold_on_rise
from governance.review.inbox_items import settle_escalation
from governance.review.models import GIVEN_BACK, Case, CaseQuerySet, Decision, Step
from governance.review.steps import add_steps


def resolve_cases(decision: Decision, accounts: Q, *, by: Actor, now: datetime) -> list[Case]:
    """Close and return the open cases that a decision about several accounts covers. The caller holds their locks.

    If another person had claimed a case, its history names them, so that they learn what became of it.
    """
    is_open = Case.objects.filter(accounts, status=Case.Status.OPEN).select_related("claimed_by", "escalated_by")
    covered = list(is_open.distinct().order_by("pk"))
    Case.objects.filter(pk__in=[case.pk for case in covered]).update(
        status=Case.Status.DECIDED, closed_at=now, resolved_by=decision, **GIVEN_BACK
    )
    case = decision.case
    whom = f": {decision.get_scope_display().lower()}" if case.account_id is not None else ""
    text = f"{decision.get_action_display()}{whom}, with the case of {case.subject}."
    details = {"decision": str(decision.pk), "case": str(case.pk), **case.subject_details}
    by_claimant: dict[str, list[Case]] = defaultdict(list)
    for case in covered:
        by_claimant[_claimant(case, decision, now=now)].append(case)
    for claimant, cases in sorted(by_claimant.items()):
        whose = f"{text} {claimant} had claimed this case." if claimant else text
        add_steps(cases, Step.Kind.RESOLVED, by=by, now=now, text=whose, details=details)
    for case in covered:
        settle_escalation(case, text=text, by=decision.decided_by, now=now)
    return covered


def _claimant(case: Case, decision: Decision, *, now: datetime) -> str:
    """Return the name of the person who had claimed the case; empty if nobody had, or the one who decided."""
    claimant = case.claimed_by if case.claimant(at=now) else None
    return claimant.name if claimant is not None and claimant.pk != decision.decided_by_id else ""


def reopen_cases(cases: CaseQuerySet, *, why: Decision, by: Actor, now: datetime) -> list[Case]:
    """Reopen the cases of a decision that no longer holds, with the newest assessment of their accounts. Return them.

    Accounts that have an open case, or were decided about since, are skipped. The caller holds the locks of the cases.
    """
    again = list(cases.reopenable().order_by("pk"))
    if not again:
        return []
    accounts = [case.account_id for case in again if case.account_id is not None]
    newest = Assessment.objects.filter(account__in=accounts).order_by("account_id", "-assessed_at", "-pk")
    by_account = {one.account_id: one for one in newest.distinct("account_id")}
    campaigns = {case.part_of_id for case in again if case.part_of_id is not None}
    reopened = {case.pk for case in again}
    if campaigns - reopened:
        reopened.update(Case.objects.filter(pk__in=campaigns, status=Case.Status.OPEN).values_list("pk", flat=True))
    for case in again:
        case.status, case.closed_at, case.resolved_by = Case.Status.OPEN, None, None
        if case.part_of_id not in reopened:  # else it would be in no list until it is looked at again
            case.part_of = None
        if (seen := by_account.get(case.account_id or 0)) is not None:  # that of a campaign keeps its own
            score, band = case.score, case.band
            case.assessment, case.score, case.band, case.families = seen, seen.score, seen.band, seen.families_against
            end_hold_on_rise(case, score=score, band=band, now=now)
            case.output_tokens = seen.output_tokens
    changed = [
        "status",
        "closed_at",
        "resolved_by",
        "part_of",
        "assessment",
        "score",
        "band",
        "families",
        "output_tokens",
        "held_until",
    ]
    Case.objects.bulk_update(again, changed)
    details = {"decision": str(why.pk), "case": str(why.case_id), **why.case.subject_details}
    others = [case for case in again if case.pk != why.case_id]
    text = f"The decision on the case of {why.case.subject} that covered this one no longer applies."
    add_steps(others, Step.Kind.REOPENED, by=by, now=now, text=text, details=details)
    return again
