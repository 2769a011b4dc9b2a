"""Whether an account has access: what gateways ask."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Max, Q

from accounts.models import Account, ApiKey
from governance.enforcement.models import Restriction


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
    sequence = Restriction.objects.aggregate(last=Max("number"))["last"] or 0
    if api_key is not None:
        key = ApiKey.objects.select_related("account").filter(external_id=api_key).first()
        known, target = key is not None, Q(key=key) | Q(account=key.account) if key else None
    else:
        found = Account.objects.filter(external_id=account).first()
        known, target = found is not None, Q(account=found) if found else None
    if target is None:
        return Access(allowed=True, known=known, restriction=None, sequence=sequence)
    strongest = Restriction.objects.in_force(at=now).filter(target).strongest_first().first()
    denied = strongest is not None and strongest.denies
    return Access(allowed=not denied, known=known, restriction=strongest, sequence=sequence)


def throttle_of(target: Account, *, now: datetime) -> int | None:
    """Requests a minute that a throttle leaves the account, if one is in force."""
    throttles = Restriction.objects.in_force(at=now).filter(account=target, kind=Restriction.Kind.THROTTLE)
    return throttles.values_list("requests_per_minute", flat=True).first()
