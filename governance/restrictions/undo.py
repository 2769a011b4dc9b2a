"""Undo decisions and requests: end the restrictions that they made, and restore those that they replaced."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from governance.audit.actions import audit_log_lock
from governance.audit.actor import Actor
from governance.platform.transactions import retried_transaction
from governance.restrictions.activation import deactivate, find_active
from governance.restrictions.models import Restriction
from governance.restrictions.publication import publish_ends
from governance.restrictions.restoration import (
    clear_superseded_by,
    end_returned,
    match_targets,
    match_targets_of,
    restore,
    update_effective_until,
    withdraw_from_restoration,
)


class UndoResult(NamedTuple):
    """The restrictions that were ended, and those that were restored."""

    ended: list[Restriction]
    restored: list[Restriction]


@retried_transaction
def undo(
    origins: Collection[str],
    *,
    note: str,
    by: Actor,
    now: datetime,
    ending: Restriction.Ending = Restriction.Ending.UNDONE,
    most: int | None = None,
) -> UndoResult:
    """End everything that was put into force for these decisions or requests, and restore what it took the place of.

    With `most` it does a batch: done again until `is_undoing` says no it does the rest. What is in force on one target
    may cover whom something on another target refused before, such as an account and its organisation. So first only
    that is restored whose target has nothing to be ended, so much in a batch; once all of it is in force, so many are
    ended in a batch, each with what is restored on the same target.

    On an account that was lifted nothing is restored, whether that was before the first batch or is between two.
    """
    audit_log_lock()
    ours = Restriction.objects.filter(origin__in=origins)
    withdrawn = withdraw_from_restoration(ours, Restriction.Ending.UNDONE, note=note, by=by, now=now)
    superseded = Restriction.objects.filter(superseded_by__in=origins)
    live = ours.filter(ended_at=None)
    # The newest first, since of several on one target the newest counts.
    elsewhere = superseded.exclude(match_targets_of(live)).order_by("-number")
    numbers = list(elsewhere.values_list("number", flat=True)[: most + 1 if most else None])
    is_more = most is not None and len(numbers) > most
    restorable = clear_superseded_by(superseded.filter(number__in=numbers[:most]), by=by, now=now)
    first = live.none() if is_more else live.order_by("number")[:most]
    ended = find_active(Restriction.objects.filter(number__in=first.values("number")))
    deactivate(ended, ending, by=by, now=now, note=note)
    if ended:
        restorable += clear_superseded_by(
            superseded.filter(match_targets([one.target for one in ended])), by=by, now=now
        )
    returned = end_returned(restorable, by=by, now=now)
    restored = restore(ended, restorable, by=by, now=now)
    publish_ends([*ended, *returned], now=now)
    update_effective_until(withdrawn + restorable, by=by, now=now)
    return UndoResult(ended, restored)


def is_undoing(origins: Collection[str]) -> bool:
    """Return True if something is left for `undo` to end or to restore."""
    live = Restriction.objects.filter(origin__in=origins, ended_at=None)
    return live.exists() or Restriction.objects.filter(superseded_by__in=origins).exists()
