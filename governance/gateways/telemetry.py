"""Store what gateways asked, applied and refused: the evidence that restrictions are in force."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import Count, Value
from django.db.models.functions import Greatest

from governance.gateways.models import Gateway, GatewayInstance, PropagationEntry
from governance.gateways.recovery import LostRestriction, note_reported
from governance.platform.transactions import retried_transaction

logger = logging.getLogger(__name__)

# The newest processes of one service key are kept: a client that reports a new name each time fills no table.
INSTANCES_KEPT: Final = 1_000


class AccessReport(NamedTuple):
    """A service key with which somebody asked whether there is access, and when last."""

    key: UUID
    name: str
    at: datetime


class RefusalReport(NamedTuple):
    """How often, and when first and last, a gateway refused because of a restriction."""

    key: UUID
    name: str
    restriction: int
    first: datetime
    last: datetime
    times: int


class InstanceReport(NamedTuple):
    """A process that holds the restrictions up to `sequence`, and when it came to know what. Without a service key it
    is one of Stillwatch's own.
    """

    key: UUID | None
    name: str
    instance: str
    sequence: int
    at: datetime
    propagations: Sequence[tuple[int, datetime]]
    trouble: str = ""
    is_ending: bool = False  # this is its last report


class HeldOverReport(NamedTuple):
    """A restriction that the gateway with a service key still refuses because of, and that the database lost."""

    key: UUID
    name: str
    number: int
    payload: Mapping[str, Any]


TelemetryReport = AccessReport | RefusalReport | InstanceReport | HeldOverReport

# What is wrong with a note itself, however often it is tried; where the database is away other errors are raised.
BAD_NOTE: Final = (DataError, IntegrityError, ValueError, OverflowError)


@retried_transaction
def save_reports(notes: Sequence[TelemetryReport], *, now: datetime) -> list[TelemetryReport]:
    """Write all of it down, but those notes that the database does not take, which are returned.

    Gateways are met by the service keys they ask with.
    """
    if not notes:
        return []
    try:
        with transaction.atomic():
            _note(notes, now=now)
    except BAD_NOTE:
        if len(notes) == 1:
            return list(notes)
        half = len(notes) // 2
        return save_reports(notes[:half], now=now) + save_reports(notes[half:], now=now)
    return []


def _note(notes: Sequence[TelemetryReport], *, now: datetime) -> None:
    gateways = _get_or_create_gateways({one.key: one.name for one in notes if one.key is not None}, now=now)
    asked = [one for one in notes if isinstance(one, AccessReport)]
    for one in sorted(asked, key=lambda one: gateways[one.key]):
        # Processes of the check write by turns, and one may have noted an older question than another.
        Gateway.objects.filter(pk=gateways[one.key]).update(asked_at=Greatest("asked_at", Value(one.at)))
    _count([one for one in notes if isinstance(one, RefusalReport)], gateways)
    instances = [one for one in notes if isinstance(one, InstanceReport)]
    # In one order, so that processes that write of the same clients never wait for each other crosswise.
    _note_instances(sorted(instances, key=lambda one: (str(one.key), one.instance)), gateways, now=now)
    held: dict[int, list[LostRestriction]] = {}
    for note in notes:
        if isinstance(note, HeldOverReport):
            held.setdefault(gateways[note.key], []).append(LostRestriction(note.number, note.payload))
    for gateway, lost in held.items():
        note_reported(lost, gateway=Gateway.objects.get(pk=gateway), now=now)


def _get_or_create_gateways(keys: Mapping[UUID, str], *, now: datetime) -> dict[UUID, int]:
    """The primary keys of gateways by their service keys, made where missing."""
    if not keys:
        return {}
    known = dict(Gateway.objects.filter(service_key__in=keys).values_list("service_key", "pk"))
    for key, name in sorted(keys.items()):
        if key in known:
            continue
        # A gateway that was described before it first asked waits under the name of its key.
        described = Gateway.objects.filter(name=name, service_key=None)
        if not described.update(service_key=key):
            free = name if not Gateway.objects.filter(name=name).exists() else f"{name} ({str(key)[:8]})"
            Gateway.objects.get_or_create(service_key_id=key, defaults={"name": free, "created_at": now})
        known[key] = Gateway.objects.values_list("pk", flat=True).get(service_key=key)
    return known


# One that was refused because of what is no restriction any more, or never was, is left out.
COUNT: Final = """
    INSERT INTO gateways_refusal (gateway_id, restriction_id, first_at, last_at, count)
    SELECT seen.gateway, restriction.number, seen.first, seen.last, seen.times
    FROM unnest(%(gateways)s::bigint[], %(numbers)s::bigint[], %(firsts)s::timestamptz[], %(lasts)s::timestamptz[],
                %(times)s::bigint[]) AS seen (gateway, number, first, last, times)
    JOIN restrictions_restriction restriction ON restriction.number = seen.number
    ORDER BY seen.gateway, restriction.number
    ON CONFLICT (gateway_id, restriction_id) DO UPDATE SET
        first_at = least(gateways_refusal.first_at, excluded.first_at),
        last_at = greatest(gateways_refusal.last_at, excluded.last_at),
        count = gateways_refusal.count + excluded.count
"""


def _count(refused: Sequence[RefusalReport], gateways: Mapping[UUID, int]) -> None:
    if not refused:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT,
            {
                "gateways": [gateways[one.key] for one in refused],
                "numbers": [one.restriction for one in refused],
                "firsts": [one.first for one in refused],
                "lasts": [one.last for one in refused],
                "times": [one.times for one in refused],
            },
        )


def _note_instances(seen: Sequence[InstanceReport], gateways: Mapping[UUID, int], *, now: datetime) -> None:
    instances = GatewayInstance.objects.bulk_create(
        [
            GatewayInstance(
                gateway_id=gateways.get(one.key) if one.key else None,
                instance=one.instance,
                started_at=now,
                seen_at=one.at,
                sequence=one.sequence,
                trouble=one.trouble,
                ended_at=one.at if one.is_ending else None,
            )
            for one in seen
        ],
        update_conflicts=True,
        unique_fields=["gateway", "instance"],
        update_fields=["seen_at", "ended_at", "sequence", "trouble"],
    )
    PropagationEntry.objects.bulk_create(
        PropagationEntry(gateway_instance=gateway_instance, sequence=sequence, at=at)
        for gateway_instance, one in zip(instances, seen, strict=True)
        for sequence, at in one.propagations
        if sequence
    )
    _forget_surplus(
        {gateway_instance.gateway_id for gateway_instance in instances if gateway_instance.gateway_id is not None}
    )


def _forget_surplus(gateways: Collection[int]) -> None:
    for gateway in Gateway.objects.filter(pk__in=gateways).annotate(number=Count("instances")):
        if gateway.number <= INSTANCES_KEPT:
            continue
        newest = gateway.instances.order_by("-seen_at", "-pk").values("pk")[:INSTANCES_KEPT]
        gateway.instances.exclude(pk__in=newest).delete()
        logger.warning("%s has reported for over %d processes: the oldest are forgotten", gateway, INSTANCES_KEPT)
