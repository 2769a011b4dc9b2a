"""The list of accounts: filtered, sorted, a page at a time, each as fast as the first."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from django.db.models import Q, QuerySet, TextChoices, Value
from django.db.models.functions import Lower

from accounts.models import Account, Organisation, folded
from accounts.normalization import normalize_country, normalize_id
from governance.investigation.search import with_brief
from governance.web.cursors import CursorNotFoundError

PAGE: Final = 50


class AccountSort(TextChoices):
    """The order of the list."""

    SCORE = "score", "Highest score"
    NEWEST = "newest", "Newest"
    NAME = "id", "Id"


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
    after: str = ""

    @property
    def is_by_score(self) -> bool:
        """Whether accounts that were never scored are left out."""
        return self.sort == AccountSort.SCORE or bool(self.band) or self.least is not None or self.most is not None

    @property
    def is_narrow(self) -> bool:
        return self != AccountFilter(sort=self.sort, after=self.after)


class AccountPage(NamedTuple):
    """Some accounts, and the external id after which the next page starts; empty on the last."""

    rows: list[Account]
    next_after: str


def list_accounts(wanted: AccountFilter) -> AccountPage:
    """Return a page of accounts. Raises CursorNotFoundError where there is no account `wanted.after` in the list."""
    accounts = _ordered(_matching(wanted), wanted.sort)
    if wanted.after:
        accounts = accounts.filter(_later(wanted.sort, wanted.after))
    found = list(with_brief(accounts)[: PAGE + 1])
    return AccountPage(found[:PAGE], found[PAGE - 1].external_id if len(found) > PAGE else "")


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


def _ordered(accounts: QuerySet[Account], sort: AccountSort) -> QuerySet[Account]:
    match sort:
        case AccountSort.NEWEST:
            return accounts.order_by("-first_seen_at", "-pk")
        case AccountSort.NAME:
            return accounts.annotate(folded=folded("external_id")).order_by("folded", "pk")
        case _:
            return accounts.order_by("-score__score", "pk")


def _later(sort: AccountSort, external_id: str) -> Q:
    """What comes after an account. The first part of each condition follows from the rest; the index uses it."""
    known = Account.objects.annotate(folded=folded("external_id")).select_related("score")
    last = known.filter(external_id=external_id).first()
    if last is None:
        raise CursorNotFoundError
    if sort == AccountSort.NEWEST:
        at = last.first_seen_at
        return Q(first_seen_at__lte=at) & (Q(first_seen_at__lt=at) | Q(first_seen_at=at, pk__lt=last.pk))
    if sort == AccountSort.NAME:
        here = last.folded  # type: ignore[attr-defined] # annotated above
        return Q(folded__gte=here) & (Q(folded__gt=here) | Q(folded=here, pk__gt=last.pk))
    if not hasattr(last, "score"):
        raise CursorNotFoundError
    score = last.score.score
    return Q(score__score__lte=score) & (Q(score__score__lt=score) | Q(score__score=score, pk__gt=last.pk))
