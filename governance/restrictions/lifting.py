"""Lift a restriction only if it is still what somebody has seen."""

from collections.abc import Callable
from datetime import datetime

from governance.audit.actions import audit_log_lock
from governance.audit.actor import Actor
from governance.platform.transactions import retried_transaction
from governance.restrictions.actions import lift
from governance.restrictions.models import Restriction


class ChangedMeanwhileError(Exception):
    """It is not what was seen any more; nothing was lifted."""


@retried_transaction
def lift_as_seen(
    restriction: Restriction, *, is_as_seen: Callable[[Restriction], bool], note: str, by: Actor, now: datetime
) -> bool:
    """Lift it, or what was restored of it; return False where it had ended already.

    Raises ChangedMeanwhileError.
    """
    audit_log_lock()  # whoever changes a restriction holds this until the change is committed
    current = Restriction.objects.select_related("account", "key", "organisation").get(pk=restriction.pk)
    if not is_as_seen(current):
        raise ChangedMeanwhileError
    return lift(current, note=note, by=by, now=now)
