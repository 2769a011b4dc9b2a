"""Which accounts and cases a decision is about, and how many of them one transaction changes.

A transaction that restricts holds the lock of the log, for which every other decision waits. So a decision about a
large campaign is applied in batches, the first of them in the transaction of the decision itself.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Account, Organisation
from governance.campaigns.models import Campaign, CampaignMember
from governance.detection.models import Assessment
from governance.restrictions.actions import campaign_accounts
from governance.restrictions.models import LiftedOrigin, Restriction
from governance.restrictions.models.restriction import RESTORED
from governance.review.left_out import why_left_out
from governance.review.models import Case, CaseQuerySet, Decision, DecisionTarget, Dismissal, origin_of
from governance.review.queries import restrictions_replaced_by_deciding, restrictions_replaced_on
from governance.review.verdicts import (
    DecidedSinceError,
    LeftOutWithoutReasonError,
    MembersLeftError,
    NoSuchScopeError,
    SeenMembers,
    Ticks,
    Verdict,
)

BATCH_SIZE: Final = 100
NO_CASES: Final = Q(pk__in=[])


class DecisionTargets(NamedTuple):
    """Whom a verdict is against; of a campaign, the accounts of the first batch, and whether these are all.

    `covered` are the cases of everybody whom it covers, `closed` those that are closed with the first batch. Of a
    campaign, `members` are all accounts that it covers, and `left_out` says why it leaves others out.
    """

    target: Account | Organisation | Campaign
    covered: Q
    closed: Q
    accounts: list[Account]
    is_whole: bool
    members: Sequence[Account] = ()
    left_out: Mapping[int, str] = MappingProxyType({})

    @property
    def campaign(self) -> Campaign | None:
        return self.target if isinstance(self.target, Campaign) else None

    def can_end(self, earlier: Restriction) -> bool:
        """Return True if the first batch may end what the verdict takes the place of. While accounts of a campaign are
        left, that is only what is on accounts of the batch: anything else may refuse those who are left.
        """
        is_on_all = self.is_whole or self.campaign is None
        return is_on_all or earlier.account_id in {one.pk for one in self.accounts}


def decision_targets(
    case: Case, verdict: Verdict, ticks: Ticks | None = None, seen: SeenMembers | None = None
) -> DecisionTargets:
    """Return what a verdict on this case covers. Raises NoSuchScopeError, LeftOutWithoutReasonError, MembersLeftError.

    Args:
        ticks: the accounts of a campaign, where the case is that of a campaign.
        seen: the members of the account's campaign whom the user was shown; all are covered where nobody was.
    """
    if case.account is None:
        return _targets_among_members(case, ticks or Ticks(frozenset(), seen=0))
    account = case.account
    if verdict.action == Dismissal.DISMISS or verdict.scope == Decision.Scope.ACCOUNT:
        return DecisionTargets(account, NO_CASES, NO_CASES, [account], is_whole=True)
    if verdict.scope == Decision.Scope.CAMPAIGN:
        return _targets_in_campaign_of(account, seen)
    if account.organisation is None:
        raise NoSuchScopeError(f"{account} has no organisation.")
    covered = Q(account__organisation=account.organisation)
    open_cases = Case.objects.filter(covered, status=Case.Status.OPEN).exclude(account=account).order_by("pk")
    cases = list(open_cases.values_list("pk", flat=True)[: BATCH_SIZE + 1])
    closed = Q(pk__in=cases[:BATCH_SIZE])
    return DecisionTargets(account.organisation, covered, closed, [account], is_whole=len(cases) <= BATCH_SIZE)


def _targets_in_campaign_of(account: Account, seen: SeenMembers | None) -> DecisionTargets:
    """The account and the other members that were shown. Whoever staff left out before is left out again: why is not
    known here.
    """
    campaign = Campaign.objects.open().filter(members__in=account.memberships.current()).first()
    if campaign is None:
        raise NoSuchScopeError(f"{account} is no longer in a campaign.")
    if seen is not None and seen.campaign != campaign.pk:
        raise NoSuchScopeError(f"{account} is in another campaign now. Check its members before you decide.")
    others = campaign.members.current().exclude(account=account)
    if seen is not None:
        others = others.filter(pk__lte=seen.newest)
    shown = list(Account.objects.filter(memberships__in=others).order_by("external_id"))
    left_out = why_left_out([one.pk for one in shown])
    members = [account, *(one for one in shown if one.pk not in left_out)]
    found = _campaign_targets(campaign, members, members[:BATCH_SIZE], case_too=Q(campaign=campaign))
    return found._replace(left_out=left_out)


def _targets_among_members(case: Case, ticks: Ticks) -> DecisionTargets:
    assert case.campaign is not None  # noqa: S101 - a constraint says so
    members = [one for one in campaign_accounts(case.campaign) if one.pk in ticks.accounts]
    if not members:
        raise NoSuchScopeError("None of the ticked accounts belongs to the campaign any more.")
    if ticks.is_confirmed and len(members) < len(ticks.accounts):
        raise MembersLeftError
    if ticks.previewed_at is not None:
        _refuse_if_decided_since(members, ticks.previewed_at)
    # Whoever was a member when the case was opened is on its page, whatever the form says.
    was_seen = Q(pk__lte=ticks.seen) | Q(joined_at__lte=case.opened_at)
    others = CampaignMember.objects.current().filter(was_seen, campaign=case.campaign_id)
    left_out = list(others.exclude(account__in=members).order_by("account").values_list("account", flat=True))
    if left_out and not ticks.left_out_because:  # which is how a member that is covered is stored
        raise LeftOutWithoutReasonError
    found = _campaign_targets(case.campaign, members, members[:BATCH_SIZE], case_too=NO_CASES)
    return found._replace(left_out=dict.fromkeys(left_out, ticks.left_out_because))


def _refuse_if_decided_since(members: Sequence[Account], previewed_at: datetime) -> None:
    about = Q(case__account__in=members) | Q(targets__account__in=members)
    since = Decision.objects.not_undone().filter(about, decided_at__gt=previewed_at)
    latest = since.select_related("case__account", "case__campaign", "decided_by").order_by("-number").first()
    if latest is not None:
        raise DecidedSinceError(latest)


def _campaign_targets(
    campaign: Campaign, members: Sequence[Account], first: list[Account], *, case_too: Q
) -> DecisionTargets:
    return DecisionTargets(
        target=campaign,
        covered=Q(account__in=members) | case_too,
        closed=Q(account__in=first) | case_too,
        accounts=first,
        is_whole=len(members) <= BATCH_SIZE,
        members=members,
    )


def restrictions_replaced_first(case: Case, reach: DecisionTargets) -> list[Restriction]:
    """Return what a verdict takes the place of, that on the account itself first: nobody may slip through between what
    is replaced and what takes its place.
    """
    if case.account is None:
        return list(restrictions_replaced_on(reach.members).order_by("number"))
    earlier = list(restrictions_replaced_by_deciding(case.account).order_by("number"))
    return sorted(earlier, key=lambda one: one.account_id != case.account_id)


def write_targets(decision: Decision, reach: DecisionTargets) -> None:
    """Store which accounts of a campaign a decision covers and leaves out, each with its newest assessment."""
    because = dict.fromkeys((one.pk for one in reach.members), "") | dict(reach.left_out)
    newest = Assessment.objects.filter(account__in=because).order_by("account_id", "-assessed_at", "-pk")
    seen = dict(newest.distinct("account_id").values_list("account_id", "pk"))
    DecisionTarget.objects.bulk_create(
        DecisionTarget(decision=decision, account_id=account, assessment_id=seen.get(account), left_out_because=text)
        for account, text in because.items()
    )


def accounts_to_restrict(decision: Decision) -> QuerySet[Account]:
    """Return the accounts that the decision about a campaign covers and does not restrict yet; those that staff decided
    about since are left to that decision.
    """
    return _accounts_left(decision).exclude(_decided_since(decision))


def accounts_left_to_later_decisions(decision: Decision) -> QuerySet[Account]:
    """Return the accounts that the decision covers and would restrict, had staff not decided about them since."""
    return _accounts_left(decision).filter(_decided_since(decision))


def _accounts_left(decision: Decision) -> QuerySet[Account]:
    if decision.restriction is None or decision.campaign_id is None or _is_lifted(decision):
        return Account.objects.none()
    done = Restriction.objects.filter(origin=decision.origin).exclude(account=None).values("account")
    return Account.objects.filter(pk__in=_covered(decision)).exclude(pk__in=done).order_by("external_id")


def _covered(decision: Decision) -> QuerySet[DecisionTarget, int]:
    return decision.targets.covered().values_list("account", flat=True)


def _decided_since(decision: Decision) -> Q:
    """Whether another decision about an account was made later and was not undone."""
    later = Decision.objects.not_undone().filter(number__gt=decision.number)
    covered = DecisionTarget.objects.covered().filter(account=OuterRef("pk"), decision__in=later.values("pk"))
    return Q(Exists(later.filter(case__account=OuterRef("pk")))) | Q(Exists(covered))


def origins_of_later_decisions(undone: Decision) -> dict[int, str]:
    """Return the accounts, by primary key, on which the decision took the place of something and which staff decided
    about since, each with the origin of the first decision that followed.

    A later decision that restricts and has not reached all its accounts yet is left out: it ends what is restored on
    them once it does, and nobody is let in until then.
    """
    accounts = Restriction.objects.filter(superseded_by=undone.origin).exclude(account=None).values("account")
    has_taken_place = Q(is_unfinished=False) | Q(action=Dismissal.DISMISS)
    later = Decision.objects.not_undone().filter(has_taken_place, number__gt=undone.number)
    own = later.filter(case__account__in=accounts).values_list("number", "case__account", "pk")
    covered = DecisionTarget.objects.covered().filter(account__in=accounts, decision__in=later.values("pk"))
    every = {*own, *covered.values_list("decision__number", "account", "decision")}
    return {account: origin_of(decision) for _, account, decision in sorted(every, reverse=True)}


def restrictions_to_end(decision: Decision, *, accounts: Sequence[Account] = ()) -> QuerySet[Restriction]:
    """Return the restrictions that the decision replaces and has not ended yet.

    With a batch of accounts that are restricted first, these are only those on them: as long as accounts are left,
    anything else may refuse those who are left.
    """
    if decision.case.account is None:
        covered = Account.objects.filter(pk__in=_covered(decision)).exclude(_decided_since(decision))
        earlier = restrictions_replaced_on(accounts or covered)
    else:
        before = Decision.objects.before(decision)
        pks = list(before.order_by().values_list("pk", flat=True))
        earlier = restrictions_replaced_by_deciding(decision.case.account, pks)
    left = earlier.exclude(origin=decision.origin).order_by("number")
    return left.filter(account__in=accounts) if accounts else left


def cases_to_close(decision: Decision) -> CaseQuerySet:
    """Return the open cases of the decided organisation, or of the accounts of a campaign that is dismissed; those of
    a campaign that is restricted are closed with its accounts.
    """
    covered = Q(opened_at__lte=decision.decided_at)
    if decision.is_about_campaign and decision.restriction is None:
        accounts = Account.objects.filter(pk__in=_covered(decision)).exclude(_decided_since(decision))
        covered &= Q(account__in=accounts)
    elif decision.restriction is not None and decision.restriction.organisation_id and not _is_lifted(decision):
        covered &= Q(account__organisation=decision.restriction.organisation_id)
    else:
        return Case.objects.none()
    return Case.objects.filter(covered, status=Case.Status.OPEN).exclude(pk=decision.case_id)


def cases_to_reopen(decision: Decision) -> CaseQuerySet:
    """Return the cases to reopen: those closed by earlier decisions about the account that this one does not cover or,
    for a decision that was undone, those that it closed itself.
    """
    if decision.undone_at is not None:
        return decision.resolved_cases.all().reopenable()
    before = Decision.objects.before(decision)
    covered = Q(account__in=_covered(decision))
    if decision.campaign_id is not None:
        covered |= Q(campaign=decision.campaign_id)
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


def _is_lifted(decision: Decision) -> bool:
    return LiftedOrigin.objects.has(decision.origin)
