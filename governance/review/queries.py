"""The queue as its page shows it."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery, TextChoices
from django.utils.functional import cached_property

from accounts.models import Account
from governance.campaigns.labels import AccountLabel
from governance.platform.leases import lease_ended
from governance.restrictions.kinds import NOT_NOTICED
from governance.restrictions.models import Restriction
from governance.restrictions.restoration import list_restorable
from governance.review.models import CLAIM_LASTS, DECISIONS, Case, CaseQuerySet, Decision, Dismissal, origin_of
from governance.staff.models import User

PAGE = 30
REASONS_SHOWN = 3
FEW_ACCOUNTS = 1000
# Restrictions that people decided on or that a policy made; those over the API are another system's.
BY_DECISION_OR_POLICY = Q(origin__startswith=DECISIONS) | Q(origin__startswith="policy:")
# What a row shows: the rest of these rows is wide, and read 30 times a page.
ROW_FIELDS = (
    *("account__external_id", "account__organisation__name", "account__organisation__external_id"),
    *("campaign__size", "campaign__events", "campaign__findings"),
    *("assessment__findings", "assessment__events", "claimed_by__name", "claimed_until"),
    *("status", "score", "band", "opened_at", "due_at", "closed_at", "resolved_by"),
)


class QueueView(TextChoices):
    """Which cases are listed."""

    ALL = "all", "All"
    MINE = "mine", "Mine"
    UNCLAIMED = "unclaimed", "Unclaimed"
    OVERDUE = "overdue", "Overdue"
    DECIDED = "decided", "Decided"


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """The filter of the queue. `text` is searched for in accounts and organisations."""

    view: QueueView = QueueView.ALL
    band: str = ""
    text: str = ""
    after: uuid.UUID | None = None


class InvalidCursorError(Exception):
    """The case after which a page of the list is to start is not in that list."""


class QueueCounts(NamedTuple):
    """How many cases are waiting, how many of these are overdue, and how many the user has claimed."""

    waiting: int
    overdue: int
    mine: int


class QueueRow:
    """A case as the queue shows it."""

    def __init__(self, case: Case, *, now: datetime) -> None:
        self.case = case
        self.now = now

    @cached_property
    def reasons(self) -> list[dict[str, Any]]:
        """The findings that speak against the account, or the campaign, most."""
        about = self.case.campaign or self.case.assessment
        return findings_against(about.findings)[:REASONS_SHOWN]

    @property
    def events(self) -> int:
        """What was read of the account, or of all members of the campaign."""
        return self.case.campaign.events if self.case.campaign else self.case.assessment.events

    @property
    def overdue(self) -> bool:
        return self.case.is_open and self.case.due_at <= self.now

    @cached_property
    def decision(self) -> Decision | None:
        """The one that closed the case, be it about another case that covered this one."""
        if self.case.is_open:
            return None
        own = list(self.case.decisions.all())
        not_undone = next((decision for decision in own if decision.undone_at is None), None)
        return not_undone or self.case.resolved_by or next(iter(own), None)

    @property
    def since(self) -> str:
        """What has become of the decision since; empty while it holds."""
        if self.decision is None:
            return ""
        if self.decision.undone_at is not None:
            return "undone"
        restriction = self.decision.restriction
        return restriction.get_ending_display().lower() if restriction else ""

    @property
    def person(self) -> User | None:
        """Who works on it, or who decided it."""
        if self.decision is not None:
            return self.decision.decided_by
        return self.case.claimed_by if self.case.claimant(at=self.now) else None


class QueuePage(NamedTuple):
    """Some cases, and after which one the next page starts, if there is one."""

    rows: list[QueueRow]
    next_after: uuid.UUID | None


def findings_against(findings: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The findings that speak against the account, weightiest first."""
    return sorted((f for f in findings if f["points"] > 0), key=lambda finding: -finding["points"])


def queue_page(queue_filter: QueueFilter, *, user: User, now: datetime) -> QueuePage:
    """Up to 30 cases, in the order in which they want to be worked on; decided ones newest first.

    A page starts after the last case of the one before, so that later pages cost no more than the first.
    Raises UnknownPlaceError where that case is not in the list.
    """
    cases = _cases_in_view(queue_filter, user=user, now=now)
    if queue_filter.after is not None:
        last, decided = Case.objects.filter(pk=queue_filter.after).first(), queue_filter.view == QueueView.DECIDED
        if last is None or (decided and last.closed_at is None):
            raise InvalidCursorError
        cases = cases.filter(_later_in_the_list(last, decided=decided))
    in_full = cases.select_related("account__organisation", "assessment", "campaign", "claimed_by").only(*ROW_FIELDS)
    found = list(in_full[: PAGE + 1])
    rows = [QueueRow(case, now=now) for case in found[:PAGE]]
    return QueuePage(rows, found[PAGE - 1].pk if len(found) > PAGE else None)


def queue_counts(*, user: User, now: datetime) -> QueueCounts:
    waiting = Case.objects.waiting()
    # Claims are counted apart, so that the index of the queue alone answers for the rest.
    counts = waiting.aggregate(waiting=Count("pk"), overdue=Count("pk", filter=Q(due_at__lt=now)))
    return QueueCounts(**counts, mine=waiting.claimed(at=now).filter(claimed_by=user).count())


def find_next_case(*, after: Case | None, user: User, now: datetime) -> Case | None:
    """Return the case to work on next: the first that no other reviewer has claimed.

    With `after`, which the user leaves undecided, the first behind it; at the end of the queue again from the top.
    """
    free = Case.objects.waiting().filter(
        lease_ended("claimed_until", at=now, duration=CLAIM_LASTS) | Q(claimed_by=user)
    )
    if after is not None and after.is_open:
        later = free.exclude(pk=after.pk).filter(_later_in_the_list(after, decided=False))
        return later.first() or free.exclude(pk=after.pk).first()
    return free.first()


def _cases_in_view(queue_filter: QueueFilter, *, user: User, now: datetime) -> QuerySet[Case]:
    cases: CaseQuerySet = Case.objects.all()
    match queue_filter.view:
        case QueueView.DECIDED:
            in_full = Decision.objects.select_related("decided_by", "restriction")
            cases = cases.decided().prefetch_related(
                Prefetch("decisions", queryset=in_full), Prefetch("resolved_by", queryset=in_full)
            )
        case QueueView.MINE:
            cases = cases.waiting().claimed(at=now).filter(claimed_by=user)
        case QueueView.UNCLAIMED:
            cases = cases.waiting().unclaimed(at=now)
        case QueueView.OVERDUE:
            cases = cases.waiting().overdue(at=now)
        case _:
            cases = cases.waiting()
    if queue_filter.band:
        cases = cases.filter(band=queue_filter.band)
    return _about(queue_filter.text, cases) if queue_filter.text else cases


def _about(text: str, cases: QuerySet[Case]) -> QuerySet[Case]:
    """Cases of accounts whose id begins so, or whose organisation has the text in its name or id.

    A few accounts are looked up first, since no index leads from a name to a case. Where there are many, going down
    the list meets enough of them soon; the subquery keeps the database from gathering them all before it sorts.
    """
    of_company = Q(organisation__name__icontains=text) | Q(organisation__external_id__icontains=text)
    accounts = Account.objects.order_by().values_list("pk", flat=True)
    by_id, by_company = accounts.filter(external_id__startswith=text), accounts.filter(of_company)
    found = list(by_id.union(by_company, all=True)[: FEW_ACCOUNTS + 1])
    if len(found) <= FEW_ACCOUNTS:
        return cases.filter(account__in=found)
    fits = accounts.filter(of_company | Q(external_id__startswith=text), pk=OuterRef("account"))
    return cases.alias(fits=Subquery(fits)).filter(fits__isnull=False)


def _later_in_the_list(case: Case, *, decided: bool) -> Q:
    if decided:
        same_moment = Q(closed_at=case.closed_at, pk__lt=case.pk)
        return Q(closed_at__lte=case.closed_at) & (Q(closed_at__lt=case.closed_at) | same_moment)
    as_urgent = Q(score=case.score) & (Q(due_at__gt=case.due_at) | Q(due_at=case.due_at, pk__gt=case.pk))
    # The first condition follows from the second; it is what the index can use.
    return Q(score__lte=case.score) & (Q(score__lt=case.score) | as_urgent)


def restrictions_replaced_by_deciding(
    account: Account, decisions: Collection[uuid.UUID] | None = None
) -> QuerySet[Restriction]:
    """What another decision about the account takes the place of: all that its earlier decisions put into force, on
    whatever account, and what staff or a policy put on the account itself; be it in force, or replaced for a time, to
    be restored. Restrictions over the API stay.

    `decisions` are the earlier ones, where they are known already.
    """
    if decisions is None:
        decisions = list(Decision.objects.filter(case__account=account).order_by().values_list("pk", flat=True))
    ours = Q(origin__in=[origin_of(pk) for pk in decisions])
    return _not_over(Restriction.objects.filter(ours | Q(BY_DECISION_OR_POLICY, account=account)))


def restrictions_replaced_on(accounts: QuerySet[Account] | Collection[Account]) -> QuerySet[Restriction]:
    """What a decision about a campaign takes the place of: what staff or a policy put on the accounts themselves that
    it covers. What other decisions put on others stays, also on the organisation of one of these.
    """
    return _not_over(Restriction.objects.filter(BY_DECISION_OR_POLICY, account__in=accounts))


def _not_over(about: QuerySet[Restriction]) -> QuerySet[Restriction]:
    """Those in force, and those replaced for a time, to be restored."""
    return about.filter(Q(ended_at=None) | Q(number__in=list_restorable(about)))


def labels_from_decisions() -> dict[str, AccountLabel]:
    """What staff have found of each account, by the latest decision: whom they restricted, and whom they let be.

    Watching decides nothing. The reason given is the kind of use.
    """
    told = Decision.objects.not_undone().exclude(action__in=NOT_NOTICED)
    own = told.exclude(case__account=None).values_list("number", "case__account__external_id", "action", "reason")
    covered = told.filter(targets__left_out_because="")
    of_campaigns = covered.values_list("number", "targets__account__external_id", "action", "reason")
    rows = sorted({*own, *of_campaigns})
    return {account: AccountLabel(action != Dismissal.DISMISS, reason) for _, account, action, reason in rows}
