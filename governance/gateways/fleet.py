"""The gateways for the enforcement page: their status, and how fast changes reach them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import Count, OuterRef, QuerySet, Subquery, Sum

from governance.gateways.activity import KnownGateway, fetch_rows, list_known_gateways
from governance.gateways.missing_restrictions import MissingRestrictions, find_missing_restrictions
from governance.gateways.models import CanaryProbe, DriftRepair, Gateway, Refusal
from governance.gateways.queries import enforcement_status, get_expected_state
from governance.gateways.restriction_status import EnforcementStatus, describe_silent_instances, state_reason
from governance.gateways.status import EnforcementLevel, EnforcementState, Expected, GatewayActivity
from governance.restrictions.kinds import NOT_NOTICED
from governance.restrictions.models import Restriction, RestrictionQuerySet

MEASURED: Final = timedelta(days=30)
MEASURED_CHANGES: Final = 1_000
MOST_NAMED: Final = 3
MOST_PASSED_OVER: Final = 50
# In the order in which the page lists gateways.
URGENCY: Final = (
    EnforcementLevel.ALARM,
    EnforcementLevel.WARNING,
    EnforcementLevel.PENDING,
    EnforcementLevel.GOOD,
)


class PropagationTimes(NamedTuple):
    """How long changes took to arrive, over the last weeks."""

    changes: int
    median: timedelta
    p99: timedelta


@dataclass(frozen=True, slots=True)
class GatewayState:
    """A gateway as the page shows it. `lag` is how many changes it does not know yet, None where nobody answers;
    `trouble` is what is wrong with it, and `level` how bad that is.
    """

    gateway: Gateway
    activity: GatewayActivity
    level: EnforcementLevel
    lag: int | None
    took: PropagationTimes | None
    refused: int
    probes: Sequence[CanaryProbe]
    repairs: int
    trouble: str

    @property
    def follows(self) -> str:
        if self.activity.reports:
            return "both" if self.activity.asks else "client"
        return "check" if self.activity.asks else ""

    @property
    def is_silent(self) -> bool:
        """Whether nothing is known against it but that it has not been heard of lately."""
        return self.level is EnforcementLevel.WARNING and not self.activity.is_active and not self.activity.is_bypassed

    @property
    def obeyed(self) -> PropagationTimes | None:
        """How long the canary took to be refused, or let in again."""
        times = sorted(probe.took_ms for probe in self.probes if probe.took_ms is not None)
        if not times:
            return None
        median, p99 = times[len(times) // 2], times[int(0.99 * (len(times) - 1) + 0.5)]
        return PropagationTimes(len(times), timedelta(milliseconds=median), timedelta(milliseconds=p99))


# How long each of the last changes took to reach the last of those who answer for a gateway.
TIMES: Final = """
    WITH changed AS (
        SELECT number, at FROM restrictions_change WHERE at > %(measured)s ORDER BY number DESC LIMIT %(most)s
    ), arrived AS (
        SELECT changed.number, process.gateway_id, max(first.at - changed.at) AS took
        FROM changed JOIN gateways_gatewayinstance process
          ON process.started_at <= changed.at AND process.seen_at >= changed.at
        JOIN LATERAL (
            SELECT at FROM gateways_propagationentry arrival
            WHERE arrival.gateway_instance_id = process.id AND arrival.sequence >= changed.number
            ORDER BY arrival.sequence LIMIT 1
        ) first ON true
        GROUP BY changed.number, process.gateway_id
    )
    SELECT gateway_id, count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY took),
           percentile_disc(0.99) WITHIN GROUP (ORDER BY took)
    FROM arrived GROUP BY gateway_id
"""


class RestrictionPlaces(NamedTuple):
    """A restriction, and what is known of it at each gateway."""

    restriction: Restriction
    gateways: Sequence[EnforcementStatus]

    @property
    def unsettled(self) -> list[EnforcementStatus]:
        return [at for at in self.gateways if not at.is_settled]

    @property
    def is_missing(self) -> bool:
        """Whether a gateway has not applied it yet."""
        return any(at.state is EnforcementState.NOT_YET for at in self.gateways)

    @property
    def settled(self) -> list[EnforcementStatus]:
        return [at for at in self.gateways if at.is_settled]


class MissingPage(NamedTuple):
    """Restrictions that some gateway has not applied or removed yet, the longest due first; how many there are in all,
    and after which change the next page starts.
    """

    rows: Sequence[RestrictionPlaces]
    total: int
    next_after: int | None


class EnforcementOverview(NamedTuple):
    """The gateways, those in trouble first, the restrictions that one of them has not applied or removed yet, and the
    newest that are at all of them. All of it rests on one reading of what was heard of gateways.
    """

    gateways: Sequence[GatewayState]
    missing: MissingPage
    newest: Sequence[RestrictionPlaces]


def enforcement_overview(*, now: datetime, most: int) -> EnforcementOverview:
    """Everything that the page says of gateways, with at most so many restrictions of either sort."""
    known, expected = list_known_gateways(now=now), get_expected_state(now=now).expected
    missing = find_missing_restrictions(expected, known, most=most)
    shown = _in_full(missing)
    noticed = _with_targets().exclude(kind__in=NOT_NOTICED)
    passed_over = min(missing.total, MOST_PASSED_OVER)  # they are listed with those that are missing
    others = list(noticed.in_force(at=now).exclude(number__in=shown)[: most + passed_over])
    at = enforcement_status([*shown, *(one.number for one in others)], now=now, known=known)
    states = gateway_states(known, expected, now=now)
    return EnforcementOverview(
        sorted(states, key=lambda one: URGENCY.index(one.level if one.trouble else EnforcementLevel.GOOD)),
        MissingPage(_rows(missing, shown, at), missing.total, missing.next_after),
        [row for one in others if not (row := RestrictionPlaces(one, at[one.number])).is_missing][:most],
    )


def list_missing(*, now: datetime, after: int, most: int) -> MissingPage:
    """A page of the restrictions that some gateway has not applied or removed yet. In five queries."""
    known, expected = list_known_gateways(now=now), get_expected_state(now=now).expected
    missing = find_missing_restrictions(expected, known, most=most, after=after)
    shown = _in_full(missing)
    at = enforcement_status(list(shown), now=now, known=known)
    return MissingPage(_rows(missing, shown, at), missing.total, missing.next_after)


def _with_targets() -> RestrictionQuerySet:
    return Restriction.objects.select_related("account", "key__account", "organisation")


def _in_full(missing: MissingRestrictions) -> dict[int, Restriction]:
    if not missing.numbers:
        return {}
    return {one.number: one for one in _with_targets().filter(number__in=missing.numbers)}


def _rows(
    missing: MissingRestrictions, shown: Mapping[int, Restriction], at: Mapping[int, Sequence[EnforcementStatus]]
) -> list[RestrictionPlaces]:
    return [RestrictionPlaces(shown[number], at[number]) for number in missing.numbers if number in shown]


def gateway_states(known_ones: Sequence[KnownGateway], expected: Expected, *, now: datetime) -> list[GatewayState]:
    """How every gateway stands, in as many queries however many there are."""
    described: dict[int, Any] = {gateway.pk: gateway for gateway in _gateways_with_counts(now=now)}
    times = {
        gateway: PropagationTimes(*took)
        for gateway, *took in fetch_rows(TIMES, measured=now - MEASURED, most=MEASURED_CHANGES)
    }
    probes = _probes(now=now)
    states = []
    for known in known_ones:
        if (gateway := described.get(known.pk)) is None:
            continue  # it has asked for the first time since, and is shown the next time
        activity, probed = known.activity, probes.get(known.pk, [])
        level, trouble = _trouble(known, expected, probed)
        states.append(
            GatewayState(
                gateway=gateway,
                activity=activity,
                level=level,
                lag=changes_between(activity.sequence, expected.newest, expected.starts_after)
                if activity.is_active and activity.sequence is not None
                else None,
                took=times.get(known.pk if activity.reports else None),
                refused=gateway.refused or 0,
                probes=probed,
                repairs=gateway.repaired or 0,
                trouble=trouble,
            )
        )
    return states


def _gateways_with_counts(*, now: datetime) -> QuerySet[Any]:
    """The gateways with how many requests each refused, and how often its own blocks were repaired lately."""
    refused = Refusal.objects.filter(gateway=OuterRef("pk")).order_by().values("gateway").values(times=Sum("count"))
    lately = DriftRepair.objects.filter(gateway=OuterRef("pk"), at__gt=now - MEASURED).order_by().values("gateway")
    return Gateway.objects.annotate(refused=Subquery(refused), repaired=Subquery(lately.values(times=Count("pk"))))


def changes_between(known: int, wanted: int, starts_after: int) -> int:
    """How many changes somebody lacks who has `known`. The newest epoch `starts_after` a number: to enter it is one."""
    if known < starts_after <= wanted:
        return wanted - starts_after + 1
    return max(wanted - known, 0)


def _trouble(known: KnownGateway, expected: Expected, probes: Sequence[CanaryProbe]) -> tuple[EnforcementLevel, str]:
    """How a gateway stands, and what is wrong with it."""
    if not known.is_in_use:
        return EnforcementLevel.PENDING, ""
    activity = known.activity
    state, level = activity.state(expected), activity.level(expected)
    match state:
        case EnforcementState.NOT_YET if missing := changes_between(
            activity.sequence or 0, expected.newest, expected.starts_after
        ):
            return level, f"It has not received {missing:,} change{'' if missing == 1 else 's'} yet."
        case EnforcementState.NOT_YET:
            return level, "It has not received all accounts of a restricted organisation yet."
        case EnforcementState.UNKNOWN | EnforcementState.BYPASSED:
            return level, f"{_capitalise(state_reason(state, activity, expected))}: what it allows is not known."
        case EnforcementState.SILENT:
            return level, f"{_capitalise(state_reason(state, activity, expected))}."
    return _own_trouble(activity, probes, expected)


def _own_trouble(
    activity: GatewayActivity, probes: Sequence[CanaryProbe], expected: Expected
) -> tuple[EnforcementLevel, str]:
    """What is wrong with a gateway that has every change where that is reported."""
    if probes and probes[0].outcome == CanaryProbe.Outcome.IGNORED:
        return EnforcementLevel.ALARM, "It did not follow the last canary probe."
    if troubled := [one.name for one in activity.instances if one.trouble]:
        names = ", ".join(troubled[:MOST_NAMED])
        return EnforcementLevel.WARNING, f"The copy on disk is unusable at {names}: see Instances."
    if activity.is_active and (silent := describe_silent_instances(activity, expected.newest)):
        return activity.level(expected), f"{_capitalise(silent)}."
    return EnforcementLevel.GOOD, ""


def _capitalise(clause: str) -> str:
    return clause[:1].upper() + clause[1:]


def _probes(*, now: datetime) -> dict[int, list[CanaryProbe]]:
    found: dict[int, list[CanaryProbe]] = {}
    for probe in CanaryProbe.objects.filter(at__gt=now - MEASURED).order_by("-at")[:MEASURED_CHANGES]:
        found.setdefault(probe.gateway_id, []).append(probe)
    return found


def count_in_force_by_kind(*, now: datetime) -> Mapping[str, int]:
    """How many restrictions of each kind are in force."""
    live = Restriction.objects.in_force(at=now).order_by().values("kind").annotate(number=Count("pk"))
    return dict.fromkeys(Restriction.Kind.values, 0) | dict(live.values_list("kind", "number"))


def list_newest_repairs(*, most: int = 20) -> list[DriftRepair]:
    return list(DriftRepair.objects.select_related("gateway")[:most])
