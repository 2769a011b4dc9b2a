"""Where the restrictions of a decision about a campaign are in force: counted by gateway."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from governance.gateways.activity import IN_USE
from governance.gateways.queries import enforcement_status
from governance.gateways.restriction_status import EnforcementStatus
from governance.gateways.status import EnforcementLevel
from governance.restrictions.kinds import NOT_NOTICED
from governance.restrictions.models import Restriction

COUNTED: Final = 2_000
REFRESH_FOR: Final = timedelta(minutes=2)


class GatewayCount(NamedTuple):
    """Of `total` restrictions, or lifted ones, `settled` are known to be in force, or no longer, at a gateway.

    `last` is that which took longest of those, and `worst` the state of one that is not settled, None where all are.
    """

    gateway: str
    is_lifted: bool
    total: int
    settled: int
    refusals: int
    last: timedelta | None
    worst: EnforcementStatus | None

    @property
    def level(self) -> EnforcementLevel:
        return self.worst.level if self.worst is not None else EnforcementLevel.GOOD


class GatewayCounts(NamedTuple):
    """What is known at each gateway of up to COUNTED restrictions; `restrictions` is how many these are."""

    restrictions: int
    gateways: list[GatewayCount]

    @property
    def is_pending(self) -> bool:
        """Whether it is worth looking again in a second."""
        worst = [one.worst for one in self.gateways if one.worst is not None]
        return any(one.waited < REFRESH_FOR for one in worst)


def count_at_gateways(origin: str, *, now: datetime) -> GatewayCounts:
    """Return where the restrictions of a decision are in force, and where those lifted within a day are not."""
    known = Restriction.objects.in_force_or_lifted(at=now, since=now - IN_USE).filter(origin=origin)
    noticed = known.exclude(kind__in=NOT_NOTICED).order_by("-number")
    numbers = list(noticed.values_list("number", flat=True)[:COUNTED])
    return GatewayCounts(len(numbers), count_by_gateway(enforcement_status(numbers, now=now).values()))


def count_by_gateway(statuses: Iterable[Iterable[EnforcementStatus]]) -> list[GatewayCount]:
    """Return the counts of these restrictions, each at all gateways: by name, what is in force first."""
    by_gateway = defaultdict[tuple[str, bool], list[EnforcementStatus]](list)
    for one in statuses:
        for status in one:
            by_gateway[status.gateway, status.is_lifted].append(status)
    return [_count(gateway, found, is_lifted=lifted) for (gateway, lifted), found in sorted(by_gateway.items())]


def _count(gateway: str, found: list[EnforcementStatus], *, is_lifted: bool) -> GatewayCount:
    severity = list(EnforcementLevel)
    unsettled = [one for one in found if not one.is_settled]
    return GatewayCount(
        gateway,
        is_lifted,
        total=len(found),
        settled=len(found) - len(unsettled),
        refusals=sum(one.refused for one in found),
        last=max((one.took for one in found if one.is_settled and one.took is not None), default=None),
        worst=max(unsettled, key=lambda one: severity.index(one.level), default=None),
    )
