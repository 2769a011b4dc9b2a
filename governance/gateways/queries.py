"""The status of restrictions at the gateways, for the case page, the enforcement page and the banner.

All of them ask `GatewayActivity.level`, so that none says more than another. Times are counted from the moment at which
the action that restricted was given its `now`, which is before its commit: what is shown is never too short.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.conf import settings

from governance.gateways.activity import KnownGateway, fetch_rows, list_known_gateways
from governance.gateways.restriction_status import EnforcementStatus, Unpublished, describe_usage_since, format_delay
from governance.gateways.status import PATIENCE, EnforcementLevel, EnforcementState, Expected
from governance.restrictions.kinds import DENYING, NOT_NOTICED
from governance.restrictions.names_sql import LACKING

# Everybody ought to have every change of the epochs before, whose instances have numbers below the one that an epoch
# starts after.
EPOCH: Final = """
    SELECT coalesce(max(starts_after), 0) AS newest,
           coalesce(max(starts_after) FILTER (WHERE began_at < %(settled)s), 0) AS overdue,
           max(began_at) FILTER (WHERE began_at < %(settled)s) AS overdue_at
    FROM restrictions_feedepoch
"""

# Of each restriction its newest change and the newest that is overdue, and of each gateway when everybody who answered
# for it then had the change that is counted: the one by which all its names were published, or that ended it. With
# `accounts` also whether it lacks names of these.
ENFORCEMENT: Final = f"""
    WITH wanted AS (
        SELECT restriction.number, restriction.kind, restriction.ended_at IS NOT NULL AS ended,
               newest.number AS newest, newest.at AS newest_at, overdue.number AS overdue, overdue.at AS overdue_at,
               CASE WHEN restriction.ended_at IS NULL THEN restriction.published_in_full_by
                    WHEN NOT restriction.is_end_unpublished THEN newest.number END AS change,
               CASE WHEN restriction.ended_at IS NULL THEN first.at ELSE newest.at END AS at
        FROM restrictions_restriction restriction
        JOIN restrictions_change first ON first.number = restriction.number
        CROSS JOIN LATERAL (
            SELECT number, at FROM restrictions_change change
            WHERE change.restriction_id = restriction.number ORDER BY number DESC LIMIT 1
        ) newest
        LEFT JOIN LATERAL (
            SELECT number, at FROM restrictions_change change
            WHERE change.restriction_id = restriction.number AND at < %(settled)s ORDER BY number DESC LIMIT 1
        ) overdue ON true
        WHERE restriction.number = ANY(%(numbers)s)
    ), arrived AS (
        SELECT wanted.number, process.gateway_id, max(first.at) AS at
        FROM wanted
        JOIN gateways_gatewayinstance process ON wanted.at BETWEEN process.started_at AND process.seen_at
        JOIN LATERAL (
            SELECT at FROM gateways_propagationentry arrival
            WHERE arrival.gateway_instance_id = process.id AND arrival.sequence >= wanted.change
            ORDER BY arrival.sequence LIMIT 1
        ) first ON true
        GROUP BY wanted.number, process.gateway_id
    )
    SELECT wanted.number, wanted.kind, wanted.ended, wanted.change IS NULL,
           greatest(wanted.newest, epoch.newest), wanted.newest_at, greatest(wanted.overdue, epoch.overdue),
           CASE WHEN wanted.overdue > epoch.overdue THEN wanted.overdue_at ELSE epoch.overdue_at END, epoch.newest,
           wanted.at, gateway.id, own.at, hot.at, refusal.first_at, refusal.last_at, coalesce(refusal.count, 0),
           %(accounts)s::bigint[] IS NOT NULL AND wanted.number IN ({LACKING})
    FROM gateways_gateway gateway CROSS JOIN wanted CROSS JOIN ({EPOCH}) epoch
    LEFT JOIN arrived own ON own.gateway_id = gateway.id AND own.number = wanted.number
    LEFT JOIN arrived hot ON hot.gateway_id IS NULL AND hot.number = wanted.number
    LEFT JOIN gateways_refusal refusal
        ON refusal.gateway_id = gateway.id AND refusal.restriction_id = wanted.number
    ORDER BY wanted.number DESC, gateway.name
"""  # noqa: S608 - no value in it


def enforcement_status(
    numbers: Collection[int],
    *,
    now: datetime,
    account: int | None = None,
    known: Sequence[KnownGateway] | None = None,
) -> dict[int, list[EnforcementStatus]]:
    """What is known of these restrictions, by number, at every gateway in use: in two queries, or in one with `known`.

    With `account`, by primary key, what is known of them for that account: it may have joined an organisation that is
    restricted, or have a new key.
    """
    found: dict[int, list[EnforcementStatus]] = {number: [] for number in numbers}
    if not numbers:
        return found
    every = list_known_gateways(now=now) if known is None else known
    gateways = {one.pk: one for one in every if one.is_in_use}
    accounts = None if account is None else [account]
    rows = fetch_rows(ENFORCEMENT, numbers=list(numbers), accounts=accounts, settled=now - PATIENCE)
    for row in map(EnforcementRow._make, rows):
        if (gateway := gateways.get(row.gateway)) is not None:
            found[row.number].append(_status(row, gateway, now=now))
    return found


class EnforcementRow(NamedTuple):
    """A row of `ENFORCEMENT`: a restriction at a gateway."""

    number: int
    kind: str
    is_ended: bool
    is_in_part: bool
    newest: int
    newest_at: datetime
    overdue: int
    overdue_at: datetime | None
    starts_after: int
    began_at: datetime
    gateway: int
    own_at: datetime | None
    check_at: datetime | None
    refused_at: datetime | None
    last_refused_at: datetime | None
    refused: int
    lacks_names: bool


def _status(row: EnforcementRow, known: KnownGateway, *, now: datetime) -> EnforcementStatus:
    activity = known.activity
    counted = ((row.own_at, activity.reports), (row.check_at, activity.asks))
    propagations = [at for at, counts in counted if counts and at is not None]
    in_part = Unpublished.END if row.is_ended else Unpublished.ACCOUNTS
    unpublished = Unpublished.NAMES if row.lacks_names else Unpublished.NOBODY
    return EnforcementStatus(
        gateway=known.name,
        activity=activity,
        expected=Expected(
            newest=row.newest,
            overdue=row.overdue,
            starts_after=row.starts_after,
            is_unpublished=row.is_in_part or row.lacks_names,
            is_publishing_late=row.is_in_part and not row.is_ended and row.newest_at < now - PATIENCE,
            is_in_force=not row.is_ended,
        ),
        changed_at=row.newest_at,
        first_change=row.number,
        overdue_at=row.overdue_at,
        denies=row.kind in DENYING,
        is_lifted=row.is_ended,
        unpublished=in_part if row.is_in_part else unpublished,
        took=max(max(propagations) - row.began_at, timedelta()) if propagations else None,
        refused=row.refused,
        refused_after=max(row.refused_at - row.began_at, timedelta()) if row.refused_at and not row.is_ended else None,
        last_refused_at=row.last_refused_at,
    )


class ExpectedState(NamedTuple):
    """What gateways ought to know and apply: `expected` of all restrictions together, and how many are in force. `lost`
    counts the decisions that a restore lost and nobody has settled.
    """

    expected: Expected
    in_force: int
    lost: int


WANTED: Final = f"""
    SELECT greatest((SELECT max(number) FROM restrictions_change), epoch.newest),
           greatest((SELECT max(number) FROM restrictions_change WHERE at < %(settled)s), epoch.overdue),
           epoch.newest, publishing.is_any, publishing.is_late,
           (SELECT count(*) FROM restrictions_restriction
            WHERE kind <> ALL(%(not_noticed)s) AND ended_at IS NULL AND (NOT starts_later OR starts_at <= %(now)s)
              AND (effective_until IS NULL OR effective_until > %(now)s)),
           (SELECT count(*) FROM gateways_lostdecision WHERE settled_at IS NULL)
    FROM ({EPOCH}) epoch CROSS JOIN (
        SELECT count(*) > 0 AS is_any, coalesce(bool_or(ended_at IS NULL AND NOT EXISTS (
            SELECT FROM restrictions_change change
            WHERE change.restriction_id = restriction.number AND change.at >= %(settled)s
        )), false) AS is_late
        FROM restrictions_restriction restriction
        WHERE (ended_at IS NULL AND published_in_full_by IS NULL) OR is_end_unpublished
    ) publishing
"""  # noqa: S608 - no value in it


@dataclass(frozen=True, slots=True)
class Alarm:
    """What every page warns of: gateways that have not received something decided in time, gateways of which that is
    not known, gateways that are passed by, restrictions in force while no gateway is heard, and decisions that were
    lost at a restore.
    """

    late: Sequence[str] = ()
    unknown: Sequence[str] = ()
    bypassed: Sequence[tuple[str, str]] = ()
    unheard: int = 0
    lost: int = 0
    silent_for: str = ""

    def __bool__(self) -> bool:
        return bool(self.late or self.unknown or self.bypassed or self.unheard or self.lost)


def get_alarm(*, now: datetime) -> Alarm:
    """What every page warns of, in two queries."""
    wanted = get_expected_state(now=now)
    if not wanted.expected.newest:
        return Alarm(lost=wanted.lost)
    every = list_known_gateways(now=now)
    in_use = [known for known in every if known.is_in_use]
    grave = [known for known in in_use if known.activity.level(wanted.expected) is EnforcementLevel.ALARM]
    states = {known.name: known.activity.state(wanted.expected) for known in grave}
    return Alarm(
        late=[name for name, state in states.items() if state is EnforcementState.NOT_YET],
        unknown=[name for name, state in states.items() if state is EnforcementState.UNKNOWN],
        bypassed=[(known.name, describe_usage_since(known.activity)) for known in grave if known.activity.is_bypassed],
        unheard=0 if any(known.activity.is_active for known in every) else wanted.in_force,
        lost=wanted.lost,
        silent_for=format_delay(timedelta(minutes=settings.GATEWAY_SILENT_MINUTES)),
    )


def get_expected_state(*, now: datetime) -> ExpectedState:
    [row] = fetch_rows(WANTED, settled=now - PATIENCE, now=now, not_noticed=list(NOT_NOTICED))
    newest, overdue, starts_after, is_publishing, is_publishing_late, in_force, lost = row
    expected = Expected(newest, overdue, starts_after, is_publishing, is_publishing_late, is_in_force=in_force > 0)
    return ExpectedState(expected, in_force, lost)
