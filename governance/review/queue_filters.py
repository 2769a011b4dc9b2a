"""Which cases a list of the queue holds, and in which order."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, TextChoices, Value
from django.db.models.functions import Lower

from accounts.models import Account, folded
from accounts.normalization import normalize_id
from governance.campaigns.models import CampaignMember
from governance.restrictions.models import Restriction
from governance.review.models import Case, CaseQuerySet, Decision
from governance.staff.models import User
from governance.web.cursors import Cursor

FEW_ACCOUNTS: Final = 1000
MINE: Final = "me"
NOBODY: Final = "nobody"


class QueueView(TextChoices):
    """Which cases are listed."""

    ALL = "all", "Waiting"
    MINE = "mine", "Mine"
    UNCLAIMED = "unclaimed", "Unclaimed"
    OVERDUE = "overdue", "Overdue"
    HELD = "held", "On hold"
    ESCALATED = "escalated", "Escalated"
    DECIDED = "decided", "Decided"


class QueueSort(TextChoices):
    """The order of open cases."""

    URGENCY = "", "Highest score first"
    DUE = "due", "Due soonest first"
    OLDEST = "oldest", "Oldest first"
    NEWEST = "newest", "Newest first"


class DueWithin(TextChoices):
    """When a case must be decided by."""

    ANY = "", "Any due date"
    OVERDUE = "overdue", "Overdue"
    HOURS = "4h", "Due within 4 hours"
    DAY = "day", "Due within a day"
    WEEK = "week", "Due within a week"


class ByPolicy(TextChoices):
    """Whether a policy restricts the account."""

    ANY = "", "Policy or not"
    RESTRICTED = "restricted", "Restricted by policy"
    NOT_RESTRICTED = "none", "Not restricted by policy"


class QueueColumn(TextChoices):
    """The columns of a row beside the account and its score."""

    REASONS = "reasons", "Reasons"
    CUSTOMER = "customer", "Plan and country"
    USAGE = "usage", "Usage and age"
    DUE = "due", "Due date and person"


ALL_COLUMNS: Final = tuple(QueueColumn)
USUAL_COLUMNS: Final = (QueueColumn.REASONS, QueueColumn.USAGE, QueueColumn.DUE)
WITHIN: Final = {
    DueWithin.OVERDUE: timedelta(0),
    DueWithin.HOURS: timedelta(hours=4),
    DueWithin.DAY: timedelta(days=1),
    DueWithin.WEEK: timedelta(days=7),
}
# Each ends in the primary key, so that pages follow one another without gap; each has its index.
ORDERS: Final = {
    QueueSort.URGENCY: ("-score", "due_at", "pk"),
    QueueSort.DUE: ("due_at", "pk"),
    QueueSort.OLDEST: ("opened_at", "pk"),
    QueueSort.NEWEST: ("-opened_at", "-pk"),
}
TITLES: Final = {
    QueueView.MINE: "My cases",
    QueueView.OVERDUE: "Overdue",
    QueueView.HELD: "On hold",
    QueueView.ESCALATED: "Escalated",
    QueueView.DECIDED: "Decided",
}
DECIDED_ORDER: Final = ("-closed_at", "-pk")
HELD_ORDER: Final = ("held_until", "pk")


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """The filter of the queue. `text` is searched for in accounts and organisations."""

    view: QueueView = QueueView.ALL
    band: str = ""
    text: str = ""
    after: Cursor | None = None
    score_from: int | None = None
    score_to: int | None = None
    due: DueWithin = DueWithin.ANY
    plan: str = ""
    country: str = ""
    policy: ByPolicy = ByPolicy.ANY
    assignee: str = ""
    family: str = ""
    campaign_from: int | None = None
    tokens_from: int | None = None
    sort: QueueSort = QueueSort.URGENCY
    columns: tuple[QueueColumn, ...] = USUAL_COLUMNS

    @property
    def order(self) -> tuple[str, ...]:
        if self.view == QueueView.DECIDED:
            return DECIDED_ORDER
        return HELD_ORDER if self.view == QueueView.HELD else ORDERS[self.sort]

    @property
    def title(self) -> str:
        """The title of the list."""
        return TITLES.get(self.view, "Queue")

    @property
    def more(self) -> int:
        """How many of the filters that are not always in view are set."""
        folded = (self.score_from, self.score_to, self.due, self.plan, self.country, self.policy, self.family)
        figures = (self.campaign_from, self.tokens_from)
        return sum(1 for one in (*folded, *figures, self.assignee) if one not in {None, ""})

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the usual list is asked for."""
        return bool(self.more or self.band or self.text or self.view != QueueView.ALL)

    def for_next(self) -> "QueueFilter":
        """The list from which Next hands out: in that of decided or held cases there is nothing to do."""
        is_of_work = self.view not in {QueueView.DECIDED, QueueView.HELD}
        return replace(self, after=None) if is_of_work else replace(self, after=None, view=QueueView.ALL)


def cases_in_view(queue_filter: QueueFilter, *, user: User, now: datetime) -> CaseQuerySet:
    """Return the cases of a list, in its order."""
    cases = _fitting(queue_filter, user=user, now=now)
    if queue_filter.text:
        cases = _about(queue_filter.text, cases)
    return cases.order_by(*queue_filter.order)


def cases_to_count(queue_filter: QueueFilter, *, user: User, now: datetime) -> CaseQuerySet:
    """Return the same in no order: nothing is looked up first, since nothing is sorted."""
    cases = _fitting(queue_filter, user=user, now=now).order_by()
    return cases.filter(_of_accounts(_accounts_about(queue_filter.text))) if queue_filter.text else cases


def _fitting(queue_filter: QueueFilter, *, user: User, now: datetime) -> CaseQuerySet:
    cases = _of_view(queue_filter.view, user=user, now=now)
    if queue_filter.plan:  # in either case, as in the list of accounts
        plan = Lower(Value(normalize_id(queue_filter.plan)))
        members = _members_of_campaigns().alias(plan=folded("account__plan")).filter(plan=plan)
        cases = cases.alias(plan=folded("account__plan")).filter(Q(plan=plan) | Exists(members))
    if queue_filter.country:
        of_country = Q(account__country=queue_filter.country)
        cases = cases.filter(of_country | Exists(_members_of_campaigns().filter(of_country)))
    return cases.filter(_conditions(queue_filter, user=user, now=now))


def _of_view(view: QueueView, *, user: User, now: datetime) -> CaseQuerySet:
    cases = Case.objects.all()
    if view == QueueView.DECIDED:
        in_full = Decision.objects.select_related("decided_by", "restriction")
        return cases.decided().prefetch_related(
            Prefetch("decisions", queryset=in_full), Prefetch("resolved_by", queryset=in_full)
        )
    waiting = cases.waiting()
    lists = {
        QueueView.HELD: waiting.held(at=now),
        QueueView.MINE: waiting.of(user, at=now),
        QueueView.UNCLAIMED: waiting.not_held(at=now).unclaimed(at=now),
        QueueView.OVERDUE: waiting.not_held(at=now).overdue(at=now),
        QueueView.ESCALATED: waiting.escalated(),  # on hold or not: what the leads are asked is not out of their sight
    }
    return lists.get(view, waiting.not_held(at=now))


def _conditions(queue_filter: QueueFilter, *, user: User, now: datetime) -> Q:
    """Return what the columns of a case and of its account must be."""
    asked: dict[str, Any] = {
        "band": queue_filter.band,
        "score__gte": queue_filter.score_from,
        "score__lte": queue_filter.score_to,
        "campaign_size__gte": queue_filter.campaign_from,
        "output_tokens__gte": queue_filter.tokens_from,
        "families__contains": [queue_filter.family] if queue_filter.family else None,
        "due_at__lte": now + WITHIN[queue_filter.due] if queue_filter.due else None,
    }
    found = Q(**{name: value for name, value in asked.items() if value is not None and value != ""})
    if queue_filter.assignee == NOBODY:
        found &= Q(assigned_to=None)
    elif queue_filter.assignee:
        found &= Q(assigned_to=user.pk if queue_filter.assignee == MINE else queue_filter.assignee)
    if queue_filter.policy:
        by_policy = Restriction.objects.filter(account=OuterRef("account"), ended_at=None, origin__startswith="policy:")
        is_restricted = Exists(by_policy)
        found &= Q(is_restricted) if queue_filter.policy == ByPolicy.RESTRICTED else ~Q(is_restricted)
    return found


def _about(text: str, cases: CaseQuerySet) -> CaseQuerySet:
    """Cases of accounts whose id begins so, or whose organisation has the text in its name or id; and those of
    campaigns that such accounts belong to.

    A few accounts are looked up first, since no index leads from a name to a case. Where there are many, going down
    the list meets enough of them soon; the subquery keeps the database from gathering them all before it sorts.
    """
    found = list(_accounts_about(text)[: FEW_ACCOUNTS + 1])
    if len(found) <= FEW_ACCOUNTS:
        # Looked up too: with a subquery the indexes of both columns could not be used together.
        return cases.filter(Q(account__in=found) | Q(campaign__in=list(_campaigns_of(found))))
    begins = Q(folded__startswith=_lower(text))
    accounts = Account.objects.order_by().alias(folded=folded("external_id"))
    fits = accounts.filter(_of_company(text) | begins, pk=OuterRef("account"))
    members = _members_of_campaigns().alias(folded=folded("account__external_id"))
    is_member = members.filter(_of_company(text, "account__") | begins)
    return cases.alias(fits=Subquery(fits.values("pk"))).filter(Q(fits__isnull=False) | Exists(is_member))


def _of_accounts(accounts: QuerySet[Account, int]) -> Q:
    return Q(account__in=accounts) | Q(campaign__in=_campaigns_of(accounts))


def _campaigns_of(accounts: QuerySet[Account, int] | list[int]) -> QuerySet[CampaignMember, uuid.UUID]:
    current = CampaignMember.objects.current().order_by()
    return current.filter(account__in=accounts).values_list("campaign", flat=True).distinct()


def _members_of_campaigns() -> QuerySet[CampaignMember]:
    """The members of the campaign that a case is about: nobody's, of a case about one account."""
    return CampaignMember.objects.current().filter(campaign=OuterRef("campaign"))


def _accounts_about(text: str) -> QuerySet[Account, int]:
    accounts = Account.objects.order_by()
    named = accounts.alias(folded=folded("external_id")).filter(folded__startswith=_lower(text))
    pks = named.values_list("pk", flat=True)
    return pks.union(accounts.filter(_of_company(text)).values_list("pk", flat=True), all=True)


def _lower(text: str) -> Lower:
    """As the database has it: Python knows other letters."""
    return Lower(Value(text))


def _of_company(text: str, account: str = "") -> Q:
    named = {f"{account}organisation__{name}__icontains": text for name in ("name", "external_id")}
    return Q(**named, _connector=Q.OR)
