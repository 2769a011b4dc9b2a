"""Who ought to be blocked at a gateway, as it follows from the restrictions in force: never from a single change.

A name here is that of an account or of a key of ours, with the kind before it, such as `account acct_1042`.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.models import Account, ApiKey
from governance.enforcement.models import Restriction, RestrictionQuerySet


def touched(*, after: int, until: int, since: datetime | None, now: datetime) -> set[str]:
    """Whom the changes after `after`, up to `until`, are about, and those whose time came, or was over, by itself
    after `since`.
    """
    told = Restriction.objects.filter(changes__number__gt=after, changes__number__lte=until)
    names = _names(told)
    if since is not None:
        came = Q(starts_at__gt=since, starts_at__lte=now) | Q(expires_at__gt=since, expires_at__lte=now)
        names |= _names(Restriction.objects.filter(came, ended_at=None))
    return names


def denied(*, now: datetime) -> set[str]:
    """Everybody who ought to be blocked."""
    return _names(Restriction.objects.in_force(at=now))


def denied_of(names: Collection[str], *, now: datetime) -> set[str]:
    """Those of these who ought to be blocked."""
    in_force = Restriction.objects.in_force(at=now)
    accounts = Account.objects.filter(external_id__in=_of_kind("account", names))
    keys = ApiKey.objects.filter(external_id__in=_of_kind("key", names))
    return _names(in_force, accounts=accounts, keys=keys)


def _names(
    restrictions: RestrictionQuerySet,
    *,
    accounts: QuerySet[Account] | None = None,
    keys: QuerySet[ApiKey] | None = None,
) -> set[str]:
    """Whom these would block. One query for each way to be hit: one for all of them would read every account."""
    denying = restrictions.denying().order_by()
    of_accounts = Account.objects.all() if accounts is None else accounts
    of_keys = ApiKey.objects.all() if keys is None else keys
    hit: dict[str, list[QuerySet[Account]] | list[QuerySet[ApiKey]]] = {
        "account": [
            of_accounts.filter(pk__in=denying.values("account")),
            of_accounts.filter(organisation__in=denying.values("organisation")),
        ],
        "key": [of_keys.filter(pk__in=denying.values("key"))],
    }
    return {
        f"{kind} {name}"
        for kind, several in hit.items()
        for found in several
        for name in found.order_by().values_list("external_id", flat=True)
    }


def _of_kind(kind: str, names: Iterable[str]) -> list[str]:
    return [name for of, _, name in (written.partition(" ") for written in names) if of == kind]
