"""What is known of restrictions at the gateways: for the case page, the enforcement page and the banner of every page.

All of them ask `GatewayActivity.state`, so that none says more than another. Times are counted from the moment at which
the action that restricted was given its `now`, which is before its commit: what is shown is never too short.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import connection

from governance.gateways.status import (
    ALIVE,
    MAY_SERVE,
    PATIENCE,
    EnforcementStatus,
    GatewayActivity,
    Instance,
    State,
    Unpublished,
    length,
    usage_since,
)
from governance.restrictions.kinds import DENYING, NOT_NOTICED
from governance.restrictions.names import with_unpublished_names

# A gateway that was not heard of for so long is not listed where restrictions are shown.
IN_USE: Final = timedelta(days=1)


class KnownGateway(NamedTuple):
    """A gateway, and what was heard of it."""

    pk: int
    name: str
    activity: GatewayActivity

    @property
    def is_in_use(self) -> bool:
        last, now = self.activity.last_at, self.activity.now
        return self.activity.is_bypassed or (last is not None and last > now - IN_USE)

    def with_usage(self, at: datetime) -> "KnownGateway":
        """The same, where usage came in by some way or other."""
        return self._replace(activity=replace(self.activity, usage_at=at, usage_is_own=False))


# Of each gateway, and of the check as NULL, who reported within a day of the last who did. Usage is a gateway's
# own where it came in with its service key or one of its name; NULL stands for all that came in with any other.
KNOWN: Final = """
    WITH held AS (
        SELECT gateway_id, array_agg(instance ORDER BY instance) AS names,
               array_agg(sequence ORDER BY instance) AS sequences, array_agg(seen_at ORDER BY instance) AS times,
               array_agg(trouble ORDER BY instance) AS troubles,
               array_agg(ended_at IS NOT NULL ORDER BY instance) AS ended
        FROM (SELECT *, max(seen_at) OVER (PARTITION BY gateway_id) AS last_at FROM gateways_gatewayinstance) AS process
        WHERE seen_at > last_at - %(may_serve)s GROUP BY gateway_id
    ), used AS (
        SELECT gateway.id AS gateway_id, max(arrival.newest_at) AS at
        FROM usage_lastusage arrival JOIN staff_servicekey key ON key.id = arrival.service_key_id
        LEFT JOIN (
            gateways_gateway gateway LEFT JOIN staff_servicekey own ON own.id = gateway.service_key_id
        ) ON key.id = own.id OR key.name = own.name OR key.name = gateway.name
        GROUP BY gateway.id
    )
    SELECT gateway.id, gateway.name, gateway.asked_at, own.names, own.sequences, own.times, own.troubles, own.ended,
           hot.names, hot.sequences, hot.times, hot.troubles, hot.ended, used.at, elsewhere.at
    FROM gateways_gateway gateway
    LEFT JOIN held own ON own.gateway_id = gateway.id LEFT JOIN held hot ON hot.gateway_id IS NULL
    LEFT JOIN used ON used.gateway_id = gateway.id LEFT JOIN used elsewhere ON elsewhere.gateway_id IS NULL
    ORDER BY gateway.name
"""


def known_gateways(*, now: datetime) -> list[KnownGateway]:
    """Every gateway with what was heard of it up to `now`, in one query."""
    silent_after = timedelta(minutes=settings.GATEWAY_SILENT_MINUTES)
    found, elsewhere_at = [], None
    for pk, name, asked_at, *columns, usage_at, elsewhere in rows(KNOWN, may_serve=MAY_SERVE):
        elsewhere_at = elsewhere  # the same in every row
        instances, silent = _instances(columns[:5])
        check, silent_check = _instances(columns[5:])
        activity = GatewayActivity(
            now=now,
            silent_after=silent_after,
            asked_at=asked_at,
            instances=instances,
            check=check,
            silent=silent,
            silent_check=silent_check,
            usage_at=usage_at,
        )
        found.append(KnownGateway(pk, name, activity))
    if elsewhere_at is None or any(known.activity.is_active for known in found):
        return found
    # Nobody asks, and usage comes in by a way of which no gateway is known: it may have passed any of them.
    return [known if known.activity.usage_at else known.with_usage(elsewhere_at) for known in found]


def _instances(columns: Sequence[list[Any] | None]) -> tuple[list[Instance], list[Instance]]:
    """Those that reported within half a minute of the last that did, but for those that ended beside others; and those
    that fell silent before.
    """
    every = [Instance(*one) for one in zip(*(column or [] for column in columns), strict=True)]
    last_at = max((one.seen_at for one in every), default=None)
    if last_at is None:
        return [], []
    reporting = [one for one in every if one.seen_at > last_at - ALIVE]
    silent = [one for one in every if one.seen_at <= last_at - ALIVE and not one.has_ended]
    return [one for one in reporting if not one.has_ended] or reporting, silent


# Of each restriction its newest change, and of each gateway when everybody who answered for it then had the change
# that is counted: the one by which all its names were published, or that ended it.
STANDING: Final = """
    WITH wanted AS (
        SELECT restriction.number, restriction.kind, restriction.ended_at IS NOT NULL AS ended,
               newest.number AS newest, newest.at AS newest_at,
               CASE WHEN restriction.ended_at IS NULL THEN restriction.published_in_full_by
                    WHEN NOT restriction.is_end_unpublished THEN newest.number END AS change,
               CASE WHEN restriction.ended_at IS NULL THEN first.at ELSE newest.at END AS at
        FROM restrictions_restriction restriction
        JOIN restrictions_change first ON first.number = restriction.number
        CROSS JOIN LATERAL (
            SELECT number, at FROM restrictions_change change
            WHERE change.restriction_id = restriction.number ORDER BY number DESC LIMIT 1
        ) newest
        WHERE restriction.number = ANY(%(numbers)s)
    ), arrived AS (
        SELECT wanted.number, process.gateway_id, max(first.at) AS at
        FROM wanted
        JOIN gateways_gatewayinstance process ON wanted.at BETWEEN process.started_at AND process.seen_at
        JOIN LATERAL (
            SELECT at FROM gateways_propagation arrival
            WHERE arrival.gateway_instance_id = process.id AND arrival.sequence >= wanted.change
            ORDER BY arrival.sequence LIMIT 1
        ) first ON true
        GROUP BY wanted.number, process.gateway_id
    )
    SELECT wanted.number, wanted.kind, wanted.ended, wanted.change IS NULL, wanted.newest, wanted.newest_at, wanted.at,
           gateway.id, own.at, hot.at, refusal.first_at, refusal.last_at, coalesce(refusal.count, 0)
    FROM gateways_gateway gateway CROSS JOIN wanted
    LEFT JOIN arrived own ON own.gateway_id = gateway.id AND own.number = wanted.number
    LEFT JOIN arrived hot ON hot.gateway_id IS NULL AND hot.number = wanted.number
    LEFT JOIN gateways_refusal refusal
        ON refusal.gateway_id = gateway.id AND refusal.restriction_id = wanted.number
    ORDER BY wanted.number DESC, gateway.name
"""


def enforcement_status(
    numbers: Collection[int], *, now: datetime, account: int | None = None
) -> dict[int, list[EnforcementStatus]]:
    """What is known of these restrictions, by number, at every gateway in use: in two queries.

    With `account`, by primary key, what is known of them for that account, in one more: it may have joined an
    organisation that is restricted, or have a new key.
    """
    found: dict[int, list[EnforcementStatus]] = {number: [] for number in numbers}
    if not numbers:
        return found
    gateways = {known.pk: known for known in known_gateways(now=now) if known.is_in_use}
    lacking = with_unpublished_names(account, numbers) if account is not None else set()
    for row in rows(STANDING, numbers=list(numbers)):
        number, kind, ended, in_part, newest, newest_at, began, pk, own, hot, refused_at, last_refused_at, refused = row
        if (known := gateways.get(pk)) is None:
            continue
        activity = known.activity
        propagations = [
            at for at, counts in ((own, activity.reports), (hot, activity.asks)) if counts and at is not None
        ]
        found[number].append(
            EnforcementStatus(
                gateway=known.name,
                activity=activity,
                change=newest,
                changed_at=newest_at,
                denies=kind in DENYING,
                is_lifted=ended,
                unpublished=Unpublished.END
                if in_part and ended
                else Unpublished.ACCOUNTS
                if in_part
                else Unpublished.NAMES
                if number in lacking
                else Unpublished.NOBODY,
                took=max(max(propagations) - began, timedelta()) if propagations else None,
                refused=refused,
                refused_after=max(refused_at - began, timedelta()) if refused_at and not ended else None,
                last_refused_at=last_refused_at,
            )
        )
    return found


class ExpectedState(NamedTuple):
    """What gateways ought to know and apply: the newest change, and the newest that all of them ought to have by now.

    `starts_after` is where the newest epoch begins. With `is_publishing_late` they should have been told more of those
    whom a restriction is on, and were not.
    """

    newest: int
    late: int
    in_force: int
    lost: int
    starts_after: int
    is_publishing_late: bool


# Everybody ought to have every change of the epochs before, whose instances have numbers below the one that an epoch
# starts after.
WANTED: Final = """
    SELECT greatest((SELECT max(number) FROM restrictions_change), epoch.newest, 0),
           greatest((SELECT max(number) FROM restrictions_change WHERE at < %(settled)s), epoch.settled, 0),
           (SELECT count(*) FROM restrictions_restriction
            WHERE kind <> ALL(%(not_noticed)s) AND ended_at IS NULL AND (NOT starts_later OR starts_at <= %(now)s)
              AND (holds_until IS NULL OR holds_until > %(now)s)),
           (SELECT count(*) FROM gateways_lostdecision WHERE settled_at IS NULL),
           coalesce(epoch.newest, 0),
           EXISTS (
               SELECT FROM restrictions_restriction restriction
               WHERE ended_at IS NULL AND published_in_full_by IS NULL AND NOT EXISTS (
                   SELECT FROM restrictions_change change
                   WHERE change.restriction_id = restriction.number AND change.at >= %(settled)s
               )
           )
    FROM (
        SELECT max(starts_after) AS newest, max(starts_after) FILTER (WHERE began_at < %(settled)s) AS settled
        FROM restrictions_feedepoch
    ) epoch
"""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What every page warns of: gateways at which something decided is late, gateways that are passed by,
    restrictions in force while no gateway is heard, and decisions that were lost at a restore.
    """

    late: Sequence[str] = ()
    bypassed: Sequence[tuple[str, str]] = ()
    unheard: int = 0
    lost: int = 0
    silent_for: str = ""

    def __bool__(self) -> bool:
        return bool(self.late or self.bypassed or self.unheard or self.lost)


def alarm(*, now: datetime) -> Alarm:
    """What every page warns of, in two queries."""
    wanted = find_expected_state(now=now)
    if not wanted.late:
        return Alarm(lost=wanted.lost)
    every = known_gateways(now=now)
    in_use = [known for known in every if known.is_in_use]
    states = [(known, known.activity.state(wanted.late, is_unpublished=wanted.is_publishing_late)) for known in in_use]
    return Alarm(
        late=[known.name for known, state in states if state in {State.NOT_YET, State.UNKNOWN}],
        bypassed=[
            (known.name, usage_since(known.activity))
            for known, state in states
            if state is State.BYPASSED and wanted.in_force
        ],
        unheard=0 if any(known.activity.is_active for known in every) else wanted.in_force,
        lost=wanted.lost,
        silent_for=length(timedelta(minutes=settings.GATEWAY_SILENT_MINUTES)),
    )


def find_expected_state(*, now: datetime) -> ExpectedState:
    [row] = rows(WANTED, settled=now - PATIENCE, now=now, not_noticed=list(NOT_NOTICED))
    return ExpectedState._make(row)


def rows(query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())
