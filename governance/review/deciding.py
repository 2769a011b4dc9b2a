"""The parts of deciding: see `actions.decide`."""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any, Never

from django.db.models import Q

from governance.campaigns.models import Campaign, CampaignMember
from governance.restrictions.actions import restrict, restrict_campaign
from governance.restrictions.models import Restriction
from governance.review.decision_targets import DecisionTargets
from governance.review.models import Case, Decision, Dismissal
from governance.review.verdicts import (
    AlreadyDecidedError,
    CaseEndedError,
    CaseTakenError,
    EscalatedFirstError,
    PartOfCampaignError,
    SentBeforeError,
    Ticks,
    Verdict,
)
from governance.staff.models import User
from governance.staff.roles import ESCALATED_TO


def find_same_decision(case: Case, verdict: Verdict, ticks: Ticks | None, decision_id: uuid.UUID) -> Decision | None:
    """Return the decision that the same form has made. Raises SentBeforeError where it is another one."""
    in_full = Decision.objects.select_related("decided_by", "case__account", "case__campaign", "restriction")
    made = in_full.filter(pk=decision_id).first()
    if made is None:
        return None
    if made.case_id != case.pk:
        raise SentBeforeError(made, f"This form was sent before, for the case of {made.case.subject}.")
    if made.undone_at is not None:
        raise SentBeforeError(made, "This form was sent before, and that decision was undone.")
    changed = Verdict.of(made).differences(verdict)
    if ticks is not None and not _has_made(made, ticks):
        changed.append("choice of accounts")
    if changed:
        raise SentBeforeError(made, f"This form was sent before, with another {', another '.join(changed)}.")
    return made


def _has_made(made: Decision, ticks: Ticks) -> bool:
    """Return whether these ticks made the decision: all that it covers are ticked, and none that it left out."""
    said = dict(made.targets.values_list("account", "left_out_because"))
    covered = {account for account, because in said.items() if not because}
    return covered <= ticks.accounts and not ticks.accounts & (said.keys() - covered)


def refuse_unless_decidable(
    case: Case, reach: DecisionTargets, *, is_one_of_many: bool, by: User, now: datetime
) -> None:
    """Raises what the loser of a race should hear, PartOfCampaignError as `actions.decide` says, and
    EscalatedFirstError where the leads are asked. The caller holds the lock of the case.
    """
    refuse_unless_free(case, is_one_of_many=is_one_of_many, by=by, now=now)
    refuse_if_leads_decide(case, by=by)
    _refuse_if_leads_decide_with_it(case, reach, by=by)


def refuse_unless_free(case: Case, *, is_one_of_many: bool, by: User, now: datetime) -> None:
    """The same, of a case that may be escalated."""
    if not case.is_open or case.claimant(at=now) not in {None, by.pk}:
        raise_who_won(case)
    if is_one_of_many and case.is_part:
        raise PartOfCampaignError


def refuse_if_leads_decide(case: Case, *, by: User) -> None:
    """Raises EscalatedFirstError where the decision is the leads'."""
    if is_decided_by_leads(case, by=by):
        raise EscalatedFirstError(case)


def is_decided_by_leads(case: Case, *, by: User) -> bool:
    """Return True where the leads are asked, and `by` is none of them, nor whom one of them assigned the case to."""
    if case.escalated_at is None or by.role in ESCALATED_TO:
        return False
    is_entrusted = case.assigned_by is not None and case.assigned_by.role in ESCALATED_TO
    return not (is_entrusted and case.assigned_to_id == by.pk)


def _refuse_if_leads_decide_with_it(case: Case, reach: DecisionTargets, *, by: User) -> None:
    """Raises EscalatedFirstError where the leads are asked about another case that the verdict covers, or about that
    of the account's campaign.
    """
    if by.role in ESCALATED_TO:
        return
    own = CampaignMember.objects.current().filter(account=case.account) if case.account is not None else None
    of_campaign = Q(campaign__in=own.values("campaign")) if own is not None else Q(pk__in=[])
    asked = Case.objects.filter(reach.covered | of_campaign, status=Case.Status.OPEN, escalated_at__isnull=False)
    others = asked.exclude(pk=case.pk).select_related("account", "campaign", "escalated_by", "assigned_by")
    for other in others.order_by("pk"):
        if is_decided_by_leads(other, by=by):
            raise EscalatedFirstError(other, is_another=True)


def is_one_unfinished(case: Case, reach: DecisionTargets) -> bool:
    """Return True if a decision about the same accounts is not applied, or not undone, everywhere yet: what that
    still restores must be ended afterwards.
    """
    unfinished = Decision.objects.unfinished()
    if case.account_id is not None:
        return unfinished.about(case).exists()
    covering = Q(targets__left_out_because="", targets__account__in=reach.members)
    return unfinished.filter(Q(case__account__in=reach.members) | covering).exists()


def put_into_force(
    reach: DecisionTargets,
    case: Case,
    verdict: Verdict,
    *,
    origin: str,
    superseded: Collection[int],
    by: User,
    now: datetime,
) -> Restriction | None:
    """Put the verdict into force, unless it dismisses. Return the restriction on the case's own account; of the case of
    a campaign that on its first account.
    """
    if verdict.action == Dismissal.DISMISS:
        return None
    terms = verdict.terms(now=now)
    if not isinstance(reach.target, Campaign):
        return restrict(reach.target, terms, unique_key=origin, superseded=superseded, by=by.actor, now=now)
    of_all = restrict_campaign(
        reach.target,
        terms,
        unique_key=origin,
        superseded=superseded,
        accounts=reach.accounts,
        by=by.actor,
        now=now,
    )
    return next(one for one in of_all.restrictions if case.account_id in {None, one.account_id})


def decision_details(decision: Decision, reach: DecisionTargets, superseded: list[int]) -> dict[str, Any]:
    """Return what the entry of a decision says. On the case of a campaign it names every account."""
    details: dict[str, Any] = {
        "decision": str(decision.pk),
        **decision.case.subject_details,
        "action": decision.action,
        "scope": decision.scope,
        "reason": decision.reason,
        "terms_clause": decision.terms_clause,
        "note": decision.note,
        "score": decision.assessment.score,
        "assessment": decision.assessment_id,
        "restriction": decision.restriction_id,
    }
    if decision.is_about_campaign:
        left_out = decision.targets.left_out().select_related("account").order_by("account__external_id")
        details["accounts"] = [one.external_id for one in reach.members]
        details["left_out"] = [target.account.external_id for target in left_out]
        details["left_out_because"] = next((target.left_out_because for target in left_out), "")
    return details | ({"superseded": superseded} if superseded else {})


def raise_who_won(case: Case) -> Never:
    """Raises what the loser of a race should hear."""
    decided_with = ("resolved_by__decided_by", "resolved_by__case__account", "resolved_by__case__campaign")
    now = Case.objects.select_related("claimed_by", *decided_with).get(pk=case.pk)
    if now.status == Case.Status.ENDED:
        raise CaseEndedError(now)
    own = Decision.objects.select_related("decided_by", "case__account", "case__campaign").filter(case=case)
    decision = own.not_undone().first() or now.resolved_by or own.first()
    if not now.is_open and decision is not None:
        raise AlreadyDecidedError(decision, case)
    raise CaseTakenError(now.claimed_by.name if now.claimed_by else "Somebody")
