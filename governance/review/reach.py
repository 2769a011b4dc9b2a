"""Whom a decision is about, and how many of them are restricted at once.

A transaction that restricts holds the lock of the log, for which every other decision waits. So a decision about a
large campaign goes in portions, of which the first is a part of the decision itself.
"""

from typing import Final, NamedTuple

from django.db.models import Q, QuerySet

from accounts.models import Account, Organisation
from governance.enforcement.actions import campaign_accounts
from governance.enforcement.models import Restriction
from governance.review.models import Case, Decision
from governance.review.queries import ended_by_deciding
from governance.review.verdicts import NoSuchScopeError, Verdict
from governance.risk.models import Campaign, CampaignMember

PORTION: Final = 100


class Reach(NamedTuple):
    """Whom a verdict is against; of a campaign, the accounts of the first portion, and whether these are all.

    `cases` are those of other accounts that it covers.
    """

    target: Account | Organisation | Campaign
    cases: Q
    accounts: list[Account]
    is_whole: bool


def reach_of(account: Account, verdict: Verdict) -> Reach:
    """Whom the verdict about this account is against. Raises NoSuchScopeError."""
    if verdict.action == Decision.Action.DISMISS or verdict.scope == Decision.Scope.ACCOUNT:
        return Reach(account, Q(pk__in=[]), [account], is_whole=True)
    if verdict.scope == Decision.Scope.CAMPAIGN:
        campaign = Campaign.objects.open().filter(members__in=account.memberships.current()).first()
        if campaign is None:
            raise NoSuchScopeError(f"{account} belongs to no campaign any more.")
        members = campaign_accounts(campaign)
        first = [account, *(member for member in members if member != account)][:PORTION]
        return Reach(campaign, Q(account__in=first), first, is_whole=len(members) <= PORTION)
    if account.organisation is None:
        raise NoSuchScopeError(f"{account} belongs to no organisation.")
    return Reach(account.organisation, Q(account__organisation=account.organisation), [account], is_whole=True)


def accounts_left(decision: Decision) -> QuerySet[Account]:
    """The accounts that belonged to the campaign when it was decided about, and are not restricted with it yet."""
    if decision.restriction is None or decision.restriction.campaign_id is None:
        return Account.objects.none()
    done = Restriction.objects.filter(origin=decision.origin).exclude(account=None).values("account")
    return Account.objects.filter(memberships__in=_members(decision)).exclude(pk__in=done).order_by("external_id")


def restrictions_left(decision: Decision) -> QuerySet[Restriction]:
    """What the decision takes the place of, and has not ended yet."""
    account = decision.case.account
    before = Decision.objects.filter(case__account=account, decided_at__lte=decision.decided_at).exclude(pk=decision.pk)
    earlier = ended_by_deciding(account, list(before.order_by().values_list("pk", flat=True)))
    return earlier.exclude(origin=decision.origin).order_by("number")


def cases_left(decision: Decision) -> QuerySet[Case]:
    """Cases that earlier decisions about the account had closed, and that this one does not cover."""
    before = Decision.objects.filter(case__account=decision.case.account).exclude(pk=decision.pk)
    covered = Account.objects.filter(memberships__in=_members(decision)).values("pk")
    return Case.objects.filter(resolved_by__in=before, status=Case.Status.DECIDED).exclude(account__in=covered)


def _members(decision: Decision) -> QuerySet[CampaignMember]:
    campaign = decision.restriction.campaign_id if decision.restriction else None
    then = Q(left_at=None) | Q(left_at__gt=decision.decided_at)
    members = CampaignMember.objects.filter(then, campaign=campaign, joined_at__lte=decision.decided_at)
    return members.filter(left_out_because="") if campaign else members.none()
