"""Whether restrictions are in force where customers are served, since when, and where they are not.

Times are counted from the moment at which the action that restricted was given its `now`, which is before its commit:
what is shown is never too short.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import Count

from governance.enforcement.models import Gateway, Probe, Repair, Restriction

# A process that holds the restrictions speaks up every 5 s while it is well.
ALIVE: Final = timedelta(seconds=30)
# A gateway that asked nothing for so long serves nobody, or asks nobody.
IN_USE: Final = timedelta(days=1)
# What has not arrived by then is no matter of a moment any more.
PATIENCE: Final = timedelta(seconds=5)
MEASURED: Final = timedelta(days=30)
MEASURED_CHANGES: Final = 1_000


@dataclass(frozen=True, slots=True)
class AtGateway:
    """A restriction at one gateway. `took` is how long it was from the decision until the gateway had it, where that
    was measured; `refused_after` until a request was refused because of it, and how many were.
    """

    gateway: str
    in_force: bool
    took: timedelta | None
    refused_after: timedelta | None
    refused: int
    waited: timedelta
    seen_at: datetime | None

    @property
    def late(self) -> bool:
        return not self.in_force and self.waited > PATIENCE


# Of each gateway in use and each restriction: do all who answer for the gateway now know it, and since when did those
# who answered when it was made.
STANDING: Final = """
    WITH wanted AS (
        SELECT number, starts_at FROM enforcement_restriction WHERE number = ANY(%(numbers)s)
    ), known AS (
        SELECT wanted.number, holder.gateway_id,
               bool_and(holder.sequence >= wanted.number) FILTER (WHERE holder.seen_at > %(alive)s) AS by_all,
               max(first.at) FILTER (WHERE holder.started_at <= wanted.starts_at) AS since
        FROM wanted JOIN enforcement_holder holder
            ON holder.seen_at > %(alive)s OR wanted.starts_at BETWEEN holder.started_at AND holder.seen_at
        LEFT JOIN LATERAL (
            SELECT at FROM enforcement_arrival arrival
            WHERE arrival.holder_id = holder.id AND arrival.sequence >= wanted.number ORDER BY arrival.sequence LIMIT 1
        ) first ON true
        GROUP BY wanted.number, holder.gateway_id
    ), last_seen AS (
        SELECT gateway_id, max(seen_at) AS at FROM enforcement_holder GROUP BY gateway_id
    )
    SELECT wanted.number, wanted.starts_at, gateway.name,
           own.by_all, own.since, hot.by_all, hot.since, gateway.asked_at, last_seen.at,
           refusal.first_at, coalesce(refusal.count, 0)
    FROM enforcement_gateway gateway CROSS JOIN wanted
    LEFT JOIN known own ON own.gateway_id = gateway.id AND own.number = wanted.number
    LEFT JOIN known hot ON hot.gateway_id IS NULL AND hot.number = wanted.number
    LEFT JOIN last_seen ON last_seen.gateway_id = gateway.id
    LEFT JOIN enforcement_refusal refusal
        ON refusal.gateway_id = gateway.id AND refusal.restriction_id = wanted.number
    WHERE gateway.asked_at > %(used)s OR last_seen.at > %(used)s
    ORDER BY wanted.number DESC, gateway.name
"""


def standing(numbers: Collection[int], *, now: datetime) -> dict[int, list[AtGateway]]:
    """Where these restrictions are in force, by number: at every gateway in use, in one query."""
    found: dict[int, list[AtGateway]] = {number: [] for number in numbers}
    if not numbers:
        return found
    for row in _rows(STANDING, numbers=list(numbers), alive=now - ALIVE, used=now - IN_USE):
        number, began, name, own, own_since, hot, hot_since, asked_at, seen_at, refused_at, refused = row
        asks = asked_at is not None and asked_at > now - IN_USE
        knows = [(own, own_since), (hot if asks else None, hot_since)]
        times = [since for by_all, since in knows if by_all and since is not None]
        since = min([*times, *([refused_at] if refused_at else [])], default=None)
        found[number].append(
            AtGateway(
                gateway=name,
                in_force=any(by_all for by_all, _ in knows) or refused_at is not None,
                took=max(since - began, timedelta(0)) if since else None,
                refused_after=max(refused_at - began, timedelta(0)) if refused_at else None,
                refused=refused,
                waited=now - began,
                seen_at=max(filter(None, (asked_at, seen_at)), default=None),
            )
        )
    return found


class Took(NamedTuple):
    """How long changes took to arrive, over the last weeks."""

    changes: int
    median: timedelta
    p99: timedelta


@dataclass(frozen=True, slots=True)
class GatewayState:
    """A gateway as the page shows it. `lag` is how many changes it does not know yet, None where nobody answers."""

    gateway: Gateway
    follows: str
    holders: int
    lag: int | None
    seen_at: datetime | None
    took: Took | None
    refused: int
    probes: Sequence[Probe]
    repairs: int
    trouble: str

    @property
    def obeyed(self) -> Took | None:
        """How long the canary took to be refused, or let in again."""
        times = sorted(probe.took_ms for probe in self.probes if probe.took_ms is not None)
        if not times:
            return None
        median, p99 = times[len(times) // 2], times[int(0.99 * (len(times) - 1) + 0.5)]
        return Took(len(times), timedelta(milliseconds=median), timedelta(milliseconds=p99))


STATES: Final = """
    WITH newest AS (SELECT coalesce(max(number), 0) AS number FROM enforcement_change),
    late AS (SELECT coalesce(max(number), 0) AS number FROM enforcement_change WHERE at < %(settled)s),
    living AS (
        SELECT gateway_id, count(*) AS holders, min(sequence) AS sequence FROM enforcement_holder
        WHERE seen_at > %(alive)s GROUP BY gateway_id
    ), seen AS (
        SELECT gateway_id, max(seen_at) AS at FROM enforcement_holder GROUP BY gateway_id
    ), refused AS (
        SELECT gateway_id, sum(count) AS times FROM enforcement_refusal GROUP BY gateway_id
    ), mended AS (
        SELECT gateway_id, count(*) AS times FROM enforcement_repair WHERE at > %(measured)s GROUP BY gateway_id
    )
    SELECT gateway.id, newest.number, late.number, own.holders, own.sequence, hot.holders, hot.sequence, seen.at,
           coalesce(refused.times, 0), coalesce(mended.times, 0)
    FROM enforcement_gateway gateway CROSS JOIN newest CROSS JOIN late
    LEFT JOIN living own ON own.gateway_id = gateway.id LEFT JOIN living hot ON hot.gateway_id IS NULL
    LEFT JOIN seen ON seen.gateway_id = gateway.id
    LEFT JOIN refused ON refused.gateway_id = gateway.id LEFT JOIN mended ON mended.gateway_id = gateway.id
    ORDER BY gateway.name
"""

# How long each of the last changes took to reach the last of those who answer for a gateway.
TIMES: Final = """
    WITH changed AS (
        SELECT number, at FROM enforcement_change WHERE at > %(measured)s ORDER BY number DESC LIMIT %(most)s
    ), arrived AS (
        SELECT changed.number, holder.gateway_id, max(first.at - changed.at) AS took
        FROM changed JOIN enforcement_holder holder ON holder.started_at <= changed.at AND holder.seen_at >= changed.at
        JOIN LATERAL (
            SELECT at FROM enforcement_arrival arrival
            WHERE arrival.holder_id = holder.id AND arrival.sequence >= changed.number ORDER BY arrival.sequence LIMIT 1
        ) first ON true
        GROUP BY changed.number, holder.gateway_id
    )
    SELECT gateway_id, count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY took),
           percentile_disc(0.99) WITHIN GROUP (ORDER BY took)
    FROM arrived GROUP BY gateway_id
"""


def gateways(*, now: datetime) -> list[GatewayState]:
    """Every gateway, in as many queries however many there are."""
    known = {gateway.pk: gateway for gateway in Gateway.objects.select_related("service_key", "canary_account")}
    times = {gateway: Took(*took) for gateway, *took in _rows(TIMES, measured=now - MEASURED, most=MEASURED_CHANGES)}
    probes = _probes(now=now)
    states = []
    for row in _rows(STATES, settled=now - PATIENCE, alive=now - ALIVE, measured=now - MEASURED):
        pk, newest, late, own, own_sequence, hot, hot_sequence, seen_at, refused, repairs = row
        gateway = known[pk]
        asks = gateway.asked_at is not None and gateway.asked_at > now - IN_USE
        followed = own is not None
        sequence = own_sequence if followed else hot_sequence if asks else None
        seen_at = max(filter(None, (seen_at, gateway.asked_at)), default=None)
        probed = probes.get(pk, [])
        states.append(
            GatewayState(
                gateway=gateway,
                follows="client" if followed else "check" if asks else "",
                holders=(own if followed else hot if asks else 0) or 0,
                lag=None if sequence is None else max(newest - sequence, 0),
                seen_at=seen_at,
                took=times.get(pk if followed else None),
                refused=refused,
                probes=probed,
                repairs=repairs,
                trouble=_trouble(sequence, late, probed, in_use=seen_at is not None and seen_at > now - IN_USE),
            )
        )
    return states


def _trouble(sequence: int | None, late: int, probes: Sequence[Probe], *, in_use: bool) -> str:
    if sequence is not None and sequence < late:
        return f"It does not know {late - sequence:,} change{'' if late - sequence == 1 else 's'} yet."
    if sequence is None and in_use:
        return "Nobody has answered for it for half a minute: what it lets through is not known."
    if probes and probes[0].outcome == Probe.Outcome.IGNORED:
        return "It did not obey when its canary was last blocked or let in."
    return ""


def _probes(*, now: datetime) -> dict[int, list[Probe]]:
    found: dict[int, list[Probe]] = {}
    for probe in Probe.objects.filter(at__gt=now - MEASURED).order_by("-at")[:MEASURED_CHANGES]:
        found.setdefault(probe.gateway_id, []).append(probe)
    return found


TROUBLES: Final = """
    WITH late AS (
        SELECT max(number) AS number FROM enforcement_change WHERE at < %(settled)s
    ), living AS (
        SELECT gateway_id, min(sequence) AS sequence FROM enforcement_holder
        WHERE seen_at > %(alive)s GROUP BY gateway_id
    ), used AS (
        SELECT gateway.id, gateway.name, gateway.asked_at > %(used)s AS asks,
               EXISTS (
                   SELECT FROM enforcement_holder holder WHERE holder.gateway_id = gateway.id AND seen_at > %(used)s
               ) AS holds
        FROM enforcement_gateway gateway
    )
    SELECT used.name FROM used CROSS JOIN late
    LEFT JOIN living own ON own.gateway_id = used.id LEFT JOIN living hot ON hot.gateway_id IS NULL
    WHERE (used.asks OR used.holds)
      AND coalesce(own.sequence, CASE WHEN used.asks THEN hot.sequence END, -1) < late.number
    ORDER BY used.name
"""


def behind(*, now: datetime) -> list[str]:
    """Gateways in use at which some change is not in force that ought to be, in one query: for the banner of a page."""
    rows = _rows(TROUBLES, settled=now - PATIENCE, alive=now - ALIVE, used=now - IN_USE)
    return [name for (name,) in rows]


def in_force_by_kind(*, now: datetime) -> Mapping[str, int]:
    """How many restrictions of each kind are in force."""
    live = Restriction.objects.in_force(at=now).order_by().values("kind").annotate(number=Count("pk"))
    return dict.fromkeys(Restriction.Kind.values, 0) | dict(live.values_list("kind", "number"))


def repairs(*, most: int = 20) -> list[Repair]:
    return list(Repair.objects.select_related("gateway")[:most])


def _rows(query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())
