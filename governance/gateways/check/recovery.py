"""Recover after a restore: find the changes that this process knows and the database lost, and put them into force.

Runs in the thread that keeps the restrictions, rarely; answers are given from what was known before meanwhile.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from django.db import connection

from governance.gateways import epochs
from governance.gateways.check import sql
from governance.gateways.check.sql import StoredChange
from governance.gateways.recovery import LostRestriction
from governance.restrictions.payloads import merge_payloads
from stillwatch_gateway.epochs import Epoch
from stillwatch_gateway.restriction_set import RestrictionSet

logger = logging.getLogger(__name__)

NAMED_IN_LOG: Final = 20


def ensure_first_epoch(*, now: datetime) -> None:
    """Make the first epoch where there is none yet. Raises django.db.Error."""
    try:
        epochs.ensure_epoch(now=now)
    finally:
        connection.close()


def recover_lost_changes(
    database: sql.Connection, *, recent: Sequence[StoredChange], known: RestrictionSet, epoch: Epoch, now: datetime
) -> None:
    """Begin a new epoch, unless that was done, with what this process knows and the database lacks in force in it.

    `recent` are the newest changes that this process knows. Raises psycopg.Error, django.db.Error.
    """
    continues = _last_common(database, recent)
    lost = list(_find_lost_restrictions(database, [change for change in recent if change.number > continues], now=now))
    try:
        begun = epochs.resume_epoch(up_to=known.sequence, continues=continues, lost=lost, now=now)
    finally:
        connection.close()
    _log(lost, epoch=epoch, begun=begun.identifier, continues=continues, up_to=known.sequence)
    oldest = recent[0].number if recent else known.sequence + 1
    if unnamed := sum(1 for number, _ in known.live(continues + 1) if number < oldest):
        logger.error(
            "More was lost than this process remembers: it cannot name %d restrictions after change %d. Compare the "
            "logs of the gateways, and restrict again who is missing.",
            unnamed,
            continues,
        )


def _last_common(database: sql.Connection, recent: Sequence[StoredChange]) -> int:
    """The newest change that the database has as this process knows it. Where it has none of those that this process
    remembers, the newest before them that was made before the restore.
    """
    if not recent:
        return 0
    there = sql.find_changes(database, recent[0].number, recent[-1].number)
    for change in reversed(recent):
        if there.get(change.number) == change:
            return change.number
    return sql.last_change_before(database, recent[0].number, made_by=recent[-1].at)


def _find_lost_restrictions(
    database: sql.Connection, tail: Sequence[StoredChange], *, now: datetime
) -> Iterator[LostRestriction]:
    """The restrictions that began in these changes and still count, names that others came to cover, and the ends of
    some that count again.
    """
    payloads: dict[int, dict[str, Any]] = {}
    began: set[int] = set()
    ended: set[int] = set()
    for change in tail:
        if change.payload is None:
            ended.add(change.restriction)
            continue
        if change.number == change.restriction:
            began.add(change.number)
        payloads[change.restriction] = merge_payloads(
            payloads.get(change.restriction, {}), msgspec.json.decode(change.payload)
        )
    counts = {number: one for number, one in payloads.items() if number not in ended and not _is_over(one, now=now)}
    for number in sorted(counts.keys() & began):
        yield LostRestriction(number, counts[number])
    for number in sql.find_live_numbers(database, sorted(counts.keys() - began)):
        yield LostRestriction(number, counts[number], stands=True)
    for number in sql.find_live_numbers(database, sorted(ended - began)):
        yield LostRestriction(number, sql.first_payload(database, number), ended=True)


def _is_over(payload: dict[str, Any], *, now: datetime) -> bool:
    until = payload.get("until")
    return until is not None and datetime.fromisoformat(until) <= now


def _log(lost: Sequence[LostRestriction], *, epoch: Epoch, begun: str, continues: int, up_to: int) -> None:
    if not lost and continues >= up_to:
        return
    decisions = [one for one in lost if not one.stands]
    logger.error(
        "The database went back in time: it has no change after %d as this process knew them, which knew %d of epoch "
        "%s. Epoch %s has begun; %d decisions were lost, which are on the page /enforcement/ for a person to look at.",
        continues,
        up_to,
        epoch.identifier,
        begun,
        len(decisions),
    )
    for one in decisions[:NAMED_IN_LOG]:
        logger.error(
            "Lost: %s %d of %s; it is in force%s.",
            "the end of restriction" if one.ended else "restriction",
            one.number,
            one.target,
            " again" if one.ended else " as a new one, unless the page says why not",
        )
