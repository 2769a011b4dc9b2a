"""Search in everything: what was typed is looked for as every kind of thing that it may be."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.models import Account, ApiKey, Organisation
from governance.campaigns.models import Campaign
from governance.investigation.finders import (
    BROADEST,
    FINDERS,
    START,
    Found,
    Place,
    ResultKind,
    can_search_usage,
    is_too_broad,
)
from governance.investigation.typed_text import TypedText, read_typed_text
from governance.restrictions.models import Restriction
from governance.review.models import Case
from governance.web.cursors import Cursor

PAGE: Final = 50
# Of each kind, on the page that shows all kinds.
FIRST_SHOWN: Final = 8
COUNTED: Final = 1000

_OF_KEYS: Final = ResultKind.KEYS
_OF_ORGANISATIONS: Final = ResultKind.ORGANISATIONS
_NOT_ACCOUNTS: Final = frozenset({_OF_KEYS, _OF_ORGANISATIONS, ResultKind.RECORDS})


class FoundRecord(NamedTuple):
    """A case, decision, campaign or restriction that was found by its id; it is shown with what it is about."""

    kind: str
    identifier: str
    about: Any


class ResultRow(NamedTuple):
    """One thing that was found: an account, a key, an organisation or a Record; and for an address, how."""

    item: Any
    note: str


class ResultGroup(NamedTuple):
    """What was found of one kind. `number` is counted up to `COUNTED`, and more follow after `next_after`."""

    kind: ResultKind
    rows: list[ResultRow]
    number: int
    next_after: Cursor | None

    @property
    def is_more_than_counted(self) -> bool:
        return self.number > COUNTED

    @property
    def title(self) -> str:
        return TITLES[self.kind]


TITLES: Final[Mapping[ResultKind, str]] = {
    ResultKind.RECORDS: "Cases, campaigns and restrictions",
    ResultKind.ACCOUNTS: "Accounts",
    ResultKind.KEYS: "API keys",
    ResultKind.ORGANISATIONS: "Organisations",
    ResultKind.DOMAIN: "Accounts with this e-mail domain",
    ResultKind.CARD: "Accounts on this card",
    ResultKind.ADDRESS: "Accounts at this address",
}


class SearchResults(NamedTuple):
    """All that was found, and what the search could not look for."""

    typed: TypedText
    groups: list[ResultGroup]
    limit: str

    @property
    def number(self) -> int:
        return sum(group.number for group in self.groups)


def search(text: str, *, shown: int = FIRST_SHOWN, counted: int = COUNTED) -> SearchResults:
    """Return the first things of every kind: a query for each kind that the text may be, and three for their rows."""
    typed = read_typed_text(text)
    if not typed.text:
        return SearchResults(typed, [], "")
    found = {kind: finder(typed, START, max(shown, counted) + 1) for kind, finder in FINDERS.items()}
    return SearchResults(typed, _groups(found, shown), _limit(typed))


def search_kind(text: str, kind: ResultKind, *, after: Cursor | None) -> SearchResults:
    """Return a page of the things of one kind."""
    typed = read_typed_text(text)
    place = Place(*after.values) if after is not None and after.order == Place._fields else START
    return SearchResults(typed, _groups({kind: FINDERS[kind](typed, place, COUNTED + 1)}, PAGE), _limit(typed))


def _limit(typed: TypedText) -> str:
    """What a search for a network leaves out."""
    if typed.network is None or can_search_usage(typed.network):
        return ""
    if is_too_broad(typed.network):
        return f"Enter a network of /{BROADEST[typed.network.version]} or smaller."
    return (
        "In so large a network only sign-ups are looked for. Requests are found in networks of up to 1,024 addresses."
    )


def _groups(found: Mapping[ResultKind, Sequence[Found]], shown: int) -> list[ResultGroup]:
    """The groups that are not empty. One query for all accounts, one for all keys, one for all organisations."""
    cut = {kind: list(some[:shown]) for kind, some in found.items() if some}
    pks = {one.pk for kind in cut.keys() - _NOT_ACCOUNTS for one in cut[kind]}
    accounts = accounts_in_brief(pks) if pks else {}
    groups = []
    for kind, some in cut.items():
        items = _items(kind, some) if kind in _NOT_ACCOUNTS else accounts
        rows = [ResultRow(items[one.pk], one.note) for one in some if one.pk in items]
        next_after = Cursor.at(some[-1], Place._fields) if len(found[kind]) > shown else None
        groups.append(ResultGroup(kind, rows, len(found[kind]), next_after))
    return groups


def _items(kind: ResultKind, found: Sequence[Found]) -> Mapping[Any, Any]:
    pks = [one.pk for one in found]
    if kind == _OF_KEYS:
        return ApiKey.objects.select_related("account__organisation", "account__score", "contested_by").in_bulk(pks)
    return Organisation.objects.in_bulk(pks) if kind == _OF_ORGANISATIONS else _records(found)


def accounts_in_brief(pks: Collection[int]) -> dict[int, Account]:
    """Accounts with what one line says of them, by primary key. One query."""
    return with_brief(Account.objects.all()).in_bulk(pks)


def with_brief(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """Accounts with their organisation, score, watch-list entry and open case."""
    open_case = Case.objects.filter(account=OuterRef("pk"), status=Case.Status.OPEN).order_by().values("pk")
    return accounts.select_related("organisation", "score", "watched").annotate(open_case=Subquery(open_case))


def _records(found: Sequence[Found]) -> dict[UUID | int, FoundRecord]:
    records: dict[UUID | int, FoundRecord] = {}
    for pk, kind, _ in found:
        if kind == "campaign":
            records[pk] = FoundRecord(kind, str(pk), Campaign.objects.get(pk=pk))
        elif kind == "restriction":
            in_full = Restriction.objects.select_related("account", "key__account", "organisation")
            records[pk] = FoundRecord(kind, str(pk), in_full.get(pk=pk))
        else:
            records[pk] = FoundRecord(kind, str(pk), Case.objects.select_related("account").get(pk=pk))
    return records
