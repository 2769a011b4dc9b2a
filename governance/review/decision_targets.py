"""Which accounts and cases a decision is about, and how many of them one transaction changes.

A transaction that restricts holds the lock of the log, for which every other decision waits. So a decision about a
large campaign is applied in batches, the first of them in the transaction of the decision itself.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import Q, QuerySet

from accounts.models import Account, Organisation
from governance.campaigns.models import Campaign, CampaignMember
from governance.restrictions.actions import campaign_accounts
from governance.restrictions.models import LiftedOrigin, Restriction
from governance.restrictions.models.restriction import RESTORED
from governance.review.models import Case, CaseQuerySet, Decision, Dismissal
from governance.review.queries import restrictions_replaced_by_deciding
from governance.review.verdicts import NoSuchScopeError, Verdict
from governance.review.wording import outcome_word
from governance.staff.models import User
from governance.web.counts import pluralize

BATCH_SIZE: Final = 100
NO_CASES: Final = Q(pk__in=[])


class DecisionTargets(NamedTuple):
    """Whom a verdict is against; of a campaign, the accounts of the first batch, and whether these are all.

    `covered` are the cases of everybody whom it covers, `closed` those that are closed with the first batch.
    """

    target: Account | Organisation | Campaign
    covered: Q
    closed: Q
    accounts: list[Account]
    is_whole: bool

    def can_end(self, earlier: Restriction) -> bool:
        """Return True if the first batch may end what the verdict takes the place of. While accounts of a campaign are
        left, that is only what is on accounts of the batch: anything else may refuse those who are left.
        """
        is_on_all = self.is_whole or not isinstance(self.target, Campaign)
        return is_on_all or earlier.account_id in {one.pk for one in self.accounts}


class BatchProgress(NamedTuple):
    """How far a decision about many accounts has been applied: `done` of `total`, and what is counted."""

    done: int
    total: int
    what: str


def decision_targets(account: Account, verdict: Verdict) -> DecisionTargets:
    """Return what a verdict about this account covers. Raises NoSuchScopeError."""
    if verdict.action == Dismissal.DISMISS or verdict.scope == Decision.Scope.ACCOUNT:
        return DecisionTargets(account, NO_CASES, NO_CASES, [account], is_whole=True)
    if verdict.scope == Decision.Scope.CAMPAIGN:
        campaign = Campaign.objects.open().filter(members__in=account.memberships.current()).first()
        if campaign is None:
            raise NoSuchScopeError(f"{account} is no longer in a campaign.")
        members = campaign_accounts(campaign)
        first = [account, *(member for member in members if member != account)][:BATCH_SIZE]
        first_cases = Q(account__in=first)
        return DecisionTargets(
            campaign, Q(account__in=members), first_cases, first, is_whole=len(members) <= BATCH_SIZE
        )
    if account.organisation is None:
        raise NoSuchScopeError(f"{account} has no organisation.")
    covered = Q(account__organisation=account.organisation)
    open_cases = Case.objects.filter(covered, status=Case.Status.OPEN).exclude(account=account).order_by("pk")
    cases = list(open_cases.values_list("pk", flat=True)[: BATCH_SIZE + 1])
    closed = Q(pk__in=cases[:BATCH_SIZE])
    return DecisionTargets(account.organisation, covered, closed, [account], is_whole=len(cases) <= BATCH_SIZE)


def describe_targets(decision: Decision) -> str:
    """Return whom a decision is about, as the subject of a sentence."""
    if decision.scope == Decision.Scope.CAMPAIGN:
        return f"{pluralize(count_campaign_accounts(decision), 'account')} of the campaign"
    if decision.restriction is not None and decision.restriction.organisation is not None:
        return f"all of {decision.restriction.organisation}"
    return str(decision.case.account)


def describe_decision(decision: Decision) -> str:
    """Return who was decided about, what, why and by which clause, and the note, as the history of the case has it."""
    why = ", ".join(filter(None, (decision.get_reason_display(), decision.terms_clause)))
    return f"{describe_targets(decision)}: {outcome_word(decision.action)}. {why}.\n{decision.note}".strip()


def count_campaign_accounts(decision: Decision) -> int:
    """Return how many accounts of its campaign a decision is about."""
    return _members(decision).values("account").distinct().count()


def claims_of_others(account: Account, verdict: Verdict, *, by: User, now: datetime) -> list[Case]:
    """Return the cases of other accounts that this verdict would close and another person has claimed."""
    if verdict.scope == Decision.Scope.ACCOUNT:
        return []
    covered = decision_targets(account, verdict).covered
    claimed = Case.objects.claimed(at=now).filter(covered, status=Case.Status.OPEN)
    others = claimed.exclude(account=account).exclude(claimed_by=by)
    return list(others.select_related("account", "claimed_by").distinct().order_by("pk"))


def accounts_to_restrict(decision: Decision) -> QuerySet[Account]:
    """Return the accounts that were in the campaign at the time of the decision and are not restricted by it yet."""
    if decision.restriction is None or decision.restriction.campaign_id is None or _is_lifted(decision):
        return Account.objects.none()
    done = Restriction.objects.filter(origin=decision.origin).exclude(account=None).values("account")
    return Account.objects.filter(memberships__in=_members(decision)).exclude(pk__in=done).order_by("external_id")


def restrictions_to_end(decision: Decision, *, accounts: Sequence[Account] = ()) -> QuerySet[Restriction]:
    """Return the restrictions that the decision replaces and has not ended yet.

    With a batch of accounts that are restricted first, these are only those on them: as long as accounts are left,
    anything else may refuse those who are left.
    """
    account = decision.case.account
    before = Decision.objects.before(decision)
    earlier = restrictions_replaced_by_deciding(account, list(before.order_by().values_list("pk", flat=True)))
    left = earlier.exclude(origin=decision.origin).order_by("number")
    return left.filter(account__in=accounts) if accounts else left


def cases_to_close(decision: Decision) -> CaseQuerySet:
    """Return the open cases of the decided organisation; cases of a campaign are closed with its accounts."""
    if decision.restriction is None or decision.restriction.organisation_id is None or _is_lifted(decision):
        return Case.objects.none()
    covered = Q(account__organisation=decision.restriction.organisation_id, opened_at__lte=decision.decided_at)
    return Case.objects.filter(covered, status=Case.Status.OPEN).exclude(pk=decision.case_id)


def cases_to_reopen(decision: Decision) -> CaseQuerySet:
    """Return the cases to reopen: those closed by earlier decisions about the account that this one does not cover or,
    for a decision that was undone, those that it closed itself.
    """
    if decision.undone_at is not None:
        return decision.resolved_cases.all().reopenable()
    before = Decision.objects.before(decision)
    covered = Q(account__in=Account.objects.filter(memberships__in=_members(decision)).values("pk"))
    if decision.restriction is not None and decision.restriction.organisation_id is not None:
        covered |= Q(account__organisation=decision.restriction.organisation_id)
    return Case.objects.filter(resolved_by__in=before).reopenable().exclude(covered)


def decisions_back_in_force(undone: Decision) -> list[Decision]:
    """Return the decisions about an organisation whose restriction undoing this decision has restored."""
    organisation = undone.restriction.organisation_id if undone.restriction else None
    same = Q(case__account=undone.case.account_id) | Q(restriction__organisation__isnull=False) & Q(
        restriction__organisation=organisation
    )
    earlier = Decision.objects.not_undone().filter(same, number__lt=undone.number, scope=Decision.Scope.ORGANISATION)
    restored = Restriction.objects.filter(ended_at=None, unique_key__startswith=RESTORED).exclude(organisation=None)
    back = set(restored.filter(origin__in=[one.origin for one in earlier]).values_list("origin", flat=True))
    return [one for one in earlier.select_related("case__account", "restriction") if one.origin in back]


def cases_to_close_again(undone: Decision, decision: Decision) -> CaseQuerySet:
    """Return the open cases, but for the one that is decided again, of an organisation about which `decision` is in
    force again.
    """
    organisation = decision.restriction.organisation_id if decision.restriction else None
    covered = Case.objects.filter(account__organisation__isnull=False, account__organisation=organisation)
    return covered.filter(status=Case.Status.OPEN).exclude(account=undone.case.account_id)


def progress_of(decision: Decision) -> BatchProgress | None:
    """Return how far a decision has been applied, or undone, or None if nothing is left to do, or another followed."""
    if not decision.is_unfinished or Decision.objects.not_undone().after(decision).exists():
        return None
    return _progress_of_applying(decision) if decision.undone_at is None else _progress_of_undoing(decision)


def _progress_of_applying(decision: Decision) -> BatchProgress | None:
    if left := accounts_to_restrict(decision).count():
        total = count_campaign_accounts(decision)
        return BatchProgress(total - left, total, "accounts restricted")
    if left := restrictions_to_end(decision).count():
        ended = Restriction.objects.filter(superseded_by=decision.origin).count()
        return BatchProgress(ended, ended + left, "earlier restrictions ended")
    if left := cases_to_close(decision).count():
        closed = decision.resolved_cases.count()
        return BatchProgress(closed, closed + left, "open cases closed")
    if left := cases_to_reopen(decision).count():
        return BatchProgress(0, left, "cases reopened")
    return None


def _progress_of_undoing(decision: Decision) -> BatchProgress | None:
    ours = Restriction.objects.filter(origin=decision.origin)
    live = ours.filter(ended_at=None).count()
    ended = ours.filter(ending=Restriction.Ending.UNDONE).count()
    if superseded := Restriction.objects.filter(superseded_by=decision.origin).count():
        what = f"restrictions ended, {superseded:,} earlier ones still to be restored"
        return BatchProgress(ended, ended + live, what)
    if live:
        return BatchProgress(ended, ended + live, "restrictions ended")
    if left := cases_to_reopen(decision).count():
        return BatchProgress(0, left, "cases reopened")
    left = sum(cases_to_close_again(decision, one).count() for one in decisions_back_in_force(decision))
    return BatchProgress(0, left, "cases closed again") if left else None


def _is_lifted(decision: Decision) -> bool:
    return LiftedOrigin.objects.has(decision.origin)


def _members(decision: Decision) -> QuerySet[CampaignMember]:
    campaign = decision.restriction.campaign_id if decision.restriction else None
    then = Q(left_at=None) | Q(left_at__gt=decision.decided_at)
    members = CampaignMember.objects.filter(then, campaign=campaign, joined_at__lte=decision.decided_at)
    return members.filter(left_out_because="") if campaign else members.none()
