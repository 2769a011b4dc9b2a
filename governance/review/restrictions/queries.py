"""List the restrictions in force, with the cases that show them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import Q

from accounts.models import Account
from governance.restrictions.models import Restriction
from governance.restrictions.queries import access
from governance.review.models import Case
from governance.review.wording import outcome_word

PAGE: Final = 50


class RestrictionRow(NamedTuple):
    restriction: Restriction
    case: UUID | None


class RestrictionPage(NamedTuple):
    """`next` is the number below which the next page begins; None on the last."""

    rows: list[RestrictionRow]
    next: int | None


def find_restrictions(*, text: str, before: int | None, kind: str = "") -> RestrictionPage:
    """Return what has not ended, newest first, below the number `before`; with `kind` only those of that kind.

    With `text` those on accounts, keys and organisations with it in their names, and whatever covers the account that
    is called so.
    """
    found = Restriction.objects.filter(ended_at=None)
    if text:
        found = found.filter(_name_condition(text))
    if kind:
        found = found.filter(kind=kind)
    if before is not None:
        found = found.filter(number__lt=before)
    in_full = found.select_related("account", "key__account", "organisation").order_by("-number")
    page = list(in_full[: PAGE + 1])
    cases = newest_cases(page[:PAGE])
    rows = [RestrictionRow(one, cases.get(one.account_id or 0)) for one in page[:PAGE]]
    return RestrictionPage(rows, next=page[PAGE - 1].number if len(page) > PAGE else None)


def newest_cases(restrictions: Sequence[Restriction]) -> dict[int, UUID]:
    """The newest case of each account that one of these restrictions is on, by the account's primary key."""
    accounts = [one.account_id for one in restrictions if one.account_id is not None]
    cases = Case.objects.filter(account__in=accounts).order_by("account_id", "-opened_at", "-pk").distinct("account_id")
    return dict(cases.values_list("account_id", "pk"))


def say_still_denied(case: Case, *, now: datetime) -> str:
    """Return what else keeps the account of a case out, after something was lifted; empty where nothing does."""
    current = access(account=case.account.external_id, now=now) if case.account is not None else None
    if current is None or current.allowed or current.restriction is None:
        return ""
    left = current.restriction
    return f" {case.account} is still {outcome_word(left.kind)}, by no. {left.number} against {left.target}."


def _name_condition(text: str) -> Q:
    named = Q(account__external_id__icontains=text) | Q(key__external_id__icontains=text)
    named |= Q(organisation__external_id__icontains=text)
    if account := Account.objects.filter(external_id=text).first():
        named |= Q(pk__in=Restriction.objects.against(account).values("pk"))
    return named
