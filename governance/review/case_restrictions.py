"""The restrictions of which the page of a case speaks, read together."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet, TextField, Value

from accounts.models import Account
from governance.gateways.activity import IN_USE
from governance.restrictions.models import Restriction
from governance.review.models import Decision
from governance.review.queries import restrictions_replaced_by_deciding


class CaseRestrictions(NamedTuple):
    """Restrictions by what the page says of them.

    `shown` are those in force against the account or lifted lately, the strongest first. Of an open case, `replaced`
    are those that another decision takes the place of; of a decided one, `replaced` are those that its decision took
    the place of, and `made` what it put into force on the account, the newest first.
    """

    shown: Sequence[Restriction] = ()
    replaced: Sequence[Restriction] = ()
    made: Sequence[Restriction] = ()


def get_case_restrictions(
    account: Account, decision: Decision | None, decisions: Sequence[Decision], *, now: datetime
) -> CaseRestrictions:
    """In one query.

    Args:
        decision: the one that closed the case; None while it is open.
        decisions: all about the account.
    """
    known = Restriction.objects.against(account)
    lists: dict[str, QuerySet[Restriction]] = {"shown": known.in_force_or_lifted(at=now, since=now - IN_USE)}
    if decision is None:
        lists["replaced"] = restrictions_replaced_by_deciding(account, [one.pk for one in decisions])
    else:
        lists["made"] = known.filter(origin=decision.origin)
        lists["replaced"] = Restriction.objects.filter(superseded_by=decision.origin)
    found: dict[str, list[Restriction]] = {part: [] for part in lists}
    for one in _read_together(lists):
        found[getattr(one, "part")].append(one)  # noqa: B009 - annotated below
    found["shown"].sort(key=lambda one: -Restriction.strength(one.kind))
    return CaseRestrictions(**found)


def _read_together(lists: dict[str, QuerySet[Restriction]]) -> QuerySet[Restriction]:
    """Return the restrictions of all lists, the newest first, each with the name of its list as `part`."""
    first, *others = (
        restrictions.order_by()
        .select_related("account", "key", "organisation")
        .annotate(part=Value(part, output_field=TextField()))
        for part, restrictions in lists.items()
    )
    return first.union(*others, all=True).order_by("-number")
