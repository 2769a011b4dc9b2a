"""The activity of each gateway: when it asked, what its processes reported, and when usage last passed through it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import connection

from governance.gateways.status import ALIVE, MAY_SERVE, GatewayActivity, InstanceStatus

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
HEARD: Final = """
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


def list_known_gateways(*, now: datetime) -> list[KnownGateway]:
    """Every gateway with what was heard of it up to `now`, in one query."""
    silent_after = timedelta(minutes=settings.GATEWAY_SILENT_MINUTES)
    found, elsewhere_at = [], None
    for pk, name, asked_at, *columns, usage_at, elsewhere in fetch_rows(HEARD, may_serve=MAY_SERVE):
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


def _instances(columns: Sequence[list[Any] | None]) -> tuple[list[InstanceStatus], list[InstanceStatus]]:
    """Those that reported within half a minute of the last that did, but for those that ended beside others; and those
    that fell silent before.
    """
    every = [InstanceStatus(*one) for one in zip(*(column or [] for column in columns), strict=True)]
    last_at = max((one.seen_at for one in every), default=None)
    if last_at is None:
        return [], []
    reporting = [one for one in every if one.seen_at > last_at - ALIVE]
    silent = [one for one in every if one.seen_at <= last_at - ALIVE and not one.has_ended]
    return [one for one in reporting if not one.has_ended] or reporting, silent


def fetch_rows(query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())
