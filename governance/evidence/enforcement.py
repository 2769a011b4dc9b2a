"""When each gateway had the restrictions of a case, and when it began to refuse because of them: as measured."""

from collections.abc import Collection
from typing import Any, Final

from django.db import connection

# The first time that all who then answered for the gateway had a restriction, and its first refusal because of it.
_MEASURED: Final = """
    WITH wanted AS (
        SELECT change.number, change.at, restriction.published_in_full_by AS published
        FROM restrictions_change AS change
        JOIN restrictions_restriction AS restriction ON restriction.number = change.number
        WHERE change.number = ANY(%(numbers)s)
    ), arrived AS (
        SELECT wanted.number, instance.gateway_id, max(first.at) AS at
        FROM wanted
        JOIN gateways_gatewayinstance AS instance ON wanted.at BETWEEN instance.started_at AND instance.seen_at
        JOIN LATERAL (
            SELECT at FROM gateways_propagationentry AS arrival
            WHERE arrival.gateway_instance_id = instance.id AND arrival.sequence >= coalesce(published, wanted.number)
            ORDER BY arrival.sequence LIMIT 1
        ) AS first ON true
        GROUP BY wanted.number, instance.gateway_id
    )
    SELECT gateway.name, count(DISTINCT arrived.number), min(arrived.at), max(arrived.at - wanted.at),
           count(DISTINCT refusal.restriction_id), min(refusal.first_at), min(refusal.first_at - wanted.at)
    FROM gateways_gateway AS gateway CROSS JOIN wanted
    LEFT JOIN arrived ON arrived.number = wanted.number
        AND (arrived.gateway_id = gateway.id OR (arrived.gateway_id IS NULL AND gateway.asked_at IS NOT NULL))
    LEFT JOIN gateways_refusal AS refusal ON refusal.gateway_id = gateway.id
        AND refusal.restriction_id = wanted.number
    GROUP BY gateway.name HAVING count(arrived.at) + count(refusal.first_at) > 0 ORDER BY gateway.name
"""


def measure_gateways(numbers: Collection[int]) -> list[dict[str, Any]]:
    """Return for each gateway how many of these restrictions it had and refused by, since when and after how long.

    What is measured of processes of gateways is kept for 30 days; refusals are kept as long as the restriction.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MEASURED, {"numbers": list(numbers)})
        names = ("gateway", "had", "had_at", "slowest", "refused", "refused_at", "refused_after")
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
