"""Whether an account has access, asked of PostgreSQL itself."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Max, Q

from accounts.models import Account, ApiKey
from governance.enforcement.models import Change, Restriction


class Access(NamedTuple):
    """The answer to a gateway. `restriction` is the strongest one in force, `known` whether there is such an account.

    `sequence` is the number of the newest restriction that this answer takes into account.
    """

    allowed: bool
    known: bool
    restriction: Restriction | None
    sequence: int


def access(*, account: str | None = None, api_key: str | None = None, now: datetime) -> Access:
    """Whether this account, or this key of an account, may use the API now.

    Somebody unknown is allowed: usage is what makes an account known, and a gateway must not refuse new customers.
    """
    sequence = last_number()
    key = ApiKey.objects.select_related("account").filter(external_id=api_key).first() if api_key is not None else None
    found = key.account if key else Account.objects.filter(external_id=account).first() if account else None
    if found is None:
        return Access(allowed=True, known=False, restriction=None, sequence=sequence)
    target = Q(account=found) | Q(key=key) if key else Q(account=found)
    if found.organisation_id is not None:
        target |= Q(organisation=found.organisation_id)
    strongest = Restriction.objects.in_force(at=now).filter(target).strongest_first().first()
    denied = strongest is not None and strongest.denies
    return Access(allowed=not denied, known=True, restriction=strongest, sequence=sequence)


def throttle_of(target: Account, *, now: datetime) -> int | None:
    """Requests a minute that a throttle leaves the account, if one is in force."""
    throttles = Restriction.objects.in_force(at=now).filter(account=target, kind=Restriction.Kind.THROTTLE)
    return throttles.values_list("requests_per_minute", flat=True).first()


def last_number() -> int:
    """The version of the world: the number of the newest change."""
    return Change.objects.aggregate(last=Max("number"))["last"] or 0
