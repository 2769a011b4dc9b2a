"""The queue as its page shows it."""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet
from django.utils.functional import cached_property

from accounts.models import Account
from governance.campaigns.labels import AccountLabel
from governance.restrictions.kinds import NOT_NOTICED
from governance.restrictions.models import Restriction
from governance.restrictions.replacement_chains import IsRestorable
from governance.review.models import DECISIONS, SAID_BY, Case, Decision, Dismissal, origin_of
from governance.review.queue_filters import QueueFilter, cases_in_view
from governance.staff.models import User
from governance.web.cursors import Cursor, rows_after

PAGE = 30
REASONS_SHOWN = 3
A_DAY = timedelta(days=1)
# Restrictions that people decided on or that a policy made; those over the API are another system's.
BY_DECISION_OR_POLICY = Q(origin__startswith=DECISIONS) | Q(origin__startswith="policy:")
# What a row shows: the rest of these rows is wide, and read 30 times a page.
ROW_FIELDS = (
    *("account__external_id", "account__organisation__name", "account__organisation__external_id"),
    *("campaign__size", "campaign__events", "campaign__findings"),
    *("assessment__findings", "assessment__events", "claimed_by__name", "claimed_until"),
    *("status", "score", "band", "opened_at", "due_at", "closed_at", "resolved_by"),
    *("account__plan", "account__country", "held_until", "held_by__name", "held_because"),
    *("assigned_to__name", "assigned_by__name", "assigned_because"),
    *("escalated_at", "escalated_by__name", "escalated_because"),
)
ROW_TABLES = (
    *("account__organisation", "assessment", "campaign", "claimed_by"),
    *SAID_BY,
)


class QueueCounts(NamedTuple):
    """How many cases are waiting, how many of these are overdue, how many are escalated and on hold, and how many the
    user has claimed or is assigned.
    """

    waiting: int
    overdue: int
    escalated: int
    held: int
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

    @cached_property
    def favour(self) -> dict[str, Any] | None:
        """The finding that speaks most for the account, if any does. Of a campaign none is shown: it has none."""
        speaking = [one for one in self.case.assessment.findings if one["points"] < 0] if not self.case.campaign else []
        return min(speaking, key=lambda one: float(one["points"]), default=None)

    @property
    def name(self) -> str:
        """What the row is called: the account, or the campaign in words."""
        return self.case.title

    @property
    def customer(self) -> str:
        """Whose account it is."""
        if self.case.campaign is not None:
            return "One decision for all"
        return str(self.case.own_account.organisation or "No organisation")

    @property
    def events(self) -> int:
        """What was read of the account, or of all members of the campaign."""
        return self.case.campaign.events if self.case.campaign else self.case.assessment.events

    @property
    def overdue(self) -> bool:
        return self.case.is_open and self.case.due_at <= self.now

    @property
    def ageing(self) -> str:
        """How near the due date is: `far`, `soon` in the last quarter of the time, `past`, or `long` past by a day."""
        left = self.case.due_at - self.now
        if left <= timedelta(0):
            return "long" if left < -A_DAY else "past"
        return "soon" if left * 4 <= self.case.due_at - self.case.opened_at else "far"

    @property
    def is_held(self) -> bool:
        return self.case.is_held(at=self.now)

    @property
    def version(self) -> str:
        """What changes when the row says something else that matters: pages mark rows that changed."""
        case, person = self.case, self.person
        marks = (case.score, case.status, self.is_held, case.assigned_to_id, case.escalated_at is not None)
        return "-".join(map(str, (*marks, person.pk if person else "")))

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
    """Some cases, and where the next page starts, if there is one."""

    rows: list[QueueRow]
    next_after: Cursor | None


def findings_against(findings: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The findings that speak against the account, weightiest first."""
    return sorted((f for f in findings if f["points"] > 0), key=lambda finding: -finding["points"])


def queue_page(queue_filter: QueueFilter, *, user: User, now: datetime) -> QueuePage:
    """Up to 30 cases, in the order in which they want to be worked on; decided ones newest first.

    A page starts after the last case of the one before, so that later pages cost no more than the first.
    """
    order = queue_filter.order
    cases = rows_after(cases_in_view(queue_filter, user=user, now=now), queue_filter.after, order)
    found = list(cases.select_related(*ROW_TABLES).only(*ROW_FIELDS)[: PAGE + 1])
    rows = [QueueRow(case, now=now) for case in found[:PAGE]]
    return QueuePage(rows, Cursor.at(found[PAGE - 1], order) if len(found) > PAGE else None)


def queue_counts(*, user: User, now: datetime) -> QueueCounts:
    waiting, is_held = Case.objects.waiting(), Q(held_until__gt=now)
    is_waiting = Q(held_until=None) | Q(held_until__lte=now)
    # Claims are counted apart, so that the index of the queue alone answers for the rest.
    counts = waiting.aggregate(
        waiting=Count("pk", filter=is_waiting),
        overdue=Count("pk", filter=is_waiting & Q(due_at__lte=now)),
        escalated=Count("pk", filter=Q(escalated_at__isnull=False)),
        held=Count("pk", filter=is_held),
    )
    return QueueCounts(**counts, mine=waiting.of(user, at=now).count())


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
    was_replaced = Q(ending=Restriction.Ending.REPLACED, withdrawn_at=None, superseded_by="")
    return about.filter(Q(ended_at=None) | was_replaced & Q(IsRestorable("number")))


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
