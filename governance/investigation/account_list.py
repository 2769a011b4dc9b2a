"""The list of accounts: filtered, sorted, a page at a time, each as fast as the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from django.db.models import QuerySet, TextChoices, Value
from django.db.models.functions import Lower

from accounts.models import Account, Organisation, folded
from accounts.normalization import normalize_country, normalize_id
from governance.investigation.search import with_brief
from governance.web.cursors import Cursor, rows_after

PAGE: Final = 50


class AccountSort(TextChoices):
    """The order of the list."""

    SCORE = "score", "Highest score"
    NEWEST = "newest", "Newest"
    NAME = "id", "Id"


ORDERS: Final = {
    AccountSort.SCORE: ("-score__score", "pk"),
    AccountSort.NEWEST: ("-first_seen_at", "-pk"),
    AccountSort.NAME: ("folded", "pk"),
}


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """Which accounts are listed, and how: with scores from `least` to `most`; `organisation` is an external id."""

    band: str = ""
    least: int | None = None
    most: int | None = None
    plan: str = ""
    country: str = ""
    organisation: str = ""
    watched: bool = False
    sort: AccountSort = AccountSort.SCORE
    after: Cursor | None = None

    @property
    def is_by_score(self) -> bool:
        """Whether accounts that were never scored are left out."""
        return self.sort == AccountSort.SCORE or bool(self.band) or self.least is not None or self.most is not None

    @property
    def is_narrow(self) -> bool:
        return self != AccountFilter(sort=self.sort, after=self.after)


class AccountPage(NamedTuple):
    """Some accounts, and where the next page starts, if there is one."""

    rows: list[Account]
    next_after: Cursor | None


def page_of_accounts(accounts: QuerySet[Account], after: Cursor | None, order: Sequence[str]) -> AccountPage:
    """Return the accounts that follow, each with what a line says of it."""
    found = list(rows_after(with_brief(accounts).order_by(*order), after, order)[: PAGE + 1])
    return AccountPage(found[:PAGE], Cursor.at(found[PAGE - 1], order) if len(found) > PAGE else None)


def list_accounts(wanted: AccountFilter) -> AccountPage:
    accounts = _matching(wanted)
    if wanted.sort == AccountSort.NAME:
        accounts = accounts.annotate(folded=folded("external_id"))
    return page_of_accounts(accounts, wanted.after, ORDERS[wanted.sort])


def _matching(wanted: AccountFilter) -> QuerySet[Account]:
    accounts: QuerySet[Account] = Account.objects.all()
    if wanted.is_by_score:
        accounts = accounts.filter(score__isnull=False)
    if wanted.band:
        accounts = accounts.filter(score__band=wanted.band)
    if wanted.least is not None:
        accounts = accounts.filter(score__score__gte=wanted.least)
    if wanted.most is not None:
        accounts = accounts.filter(score__score__lte=wanted.most)
    if wanted.plan:
        in_either_case = accounts.alias(folded_plan=folded("plan")).exclude(plan="")
        accounts = in_either_case.filter(folded_plan=Lower(Value(normalize_id(wanted.plan))))
    if wanted.country:
        accounts = accounts.filter(country=normalize_country(wanted.country))
    if wanted.organisation:
        # Looked up first: so the database knows how many accounts the one organisation has.
        named = Organisation.objects.filter(external_id=normalize_id(wanted.organisation)).values_list("pk", flat=True)
        accounts = accounts.filter(organisation__in=list(named))
    return accounts.filter(watched__isnull=False) if wanted.watched else accounts
