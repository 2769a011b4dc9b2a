"""Start an epoch of the feed. A new one is needed when the database may have lost changes that are known elsewhere."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Max

from governance.audit.actions import audit_log_lock, record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.gateways.recovery import LostRestriction, restrict_lost
from governance.platform.notifications import CHANGES_CHANNEL, notify_on_commit
from governance.platform.transactions import retried_transaction
from governance.restrictions.activation import find_active, publish_changes
from governance.restrictions.models import Change, FeedEpoch, Restriction
from governance.restrictions.names import unchanged_names
from governance.restrictions.queries import last_number

RECOVERY: Final = Actor.system("recovery")
INSTALLED: Final = "The first epoch."
WENT_BACK: Final = "The database went back in time: a change that was known is gone or differs."
# Numbers that were lost are never given again: more than were ever lost at once lie between two epochs.
NUMBERS_LEFT_OUT: Final = 1_000_000


@transaction.atomic
def ensure_epoch(*, now: datetime) -> FeedEpoch:
    """Return the newest epoch; make the first one where there is none, as at the first start."""
    if (epoch := FeedEpoch.objects.first()) is not None:
        return epoch
    audit_log_lock()
    if (epoch := FeedEpoch.objects.first()) is not None:
        return epoch
    return FeedEpoch.objects.create(
        identifier=secrets.token_hex(16),
        starts_after=0,
        continues=0,
        began_at=now,
        reason=INSTALLED,
        author=str(RECOVERY),
    )


@transaction.atomic
def begin_epoch(*, reason: str, by: Actor, now: datetime) -> FeedEpoch:
    """Begin a new epoch, with an audit entry. Gateways keep what they refuse until they have its snapshot."""
    audit_log_lock()
    newest = Change.objects.aggregate(last=Max("number"))["last"] or 0
    return _begin(above=newest, continues=newest, reason=reason, by=by, now=now)


@retried_transaction
def resume_epoch(*, up_to: int, continues: int, lost: Iterable[LostRestriction], now: datetime) -> FeedEpoch:
    """Bring a process that held every change up to `up_to` together with a database that may lack some of them.

    Begin a new epoch, unless another process or an administrator has begun one above all that this one knows. Restrict
    again whom this process knew to be restricted. `continues` is the last change that both know.
    """
    audit_log_lock()
    epoch = FeedEpoch.objects.first()
    if epoch is None or epoch.starts_after <= up_to:
        epoch = _begin(above=up_to, continues=continues, reason=WENT_BACK, by=RECOVERY, now=now)
    elif continues < epoch.continues:
        epoch.continues = continues
        epoch.save(update_fields=["continues"])
    restrict_lost(epoch, lost, by=RECOVERY, now=now)
    return epoch


def _begin(*, above: int, continues: int, reason: str, by: Actor, now: datetime) -> FeedEpoch:
    """The caller holds the lock of the log."""
    before = FeedEpoch.objects.first()
    above = max(above, last_number())
    epoch = FeedEpoch.objects.create(
        identifier=secrets.token_hex(16),
        starts_after=(above // NUMBERS_LEFT_OUT + 2) * NUMBERS_LEFT_OUT,
        continues=continues,
        began_at=now,
        reason=reason,
        author=str(by),
    )
    record(
        Verb.FEED_EPOCH_BEGAN,
        subject=("feed", epoch.identifier),
        by=by,
        now=now,
        details={
            "before": before.identifier if before else "",
            "continues": continues,
            "starts_after": epoch.starts_after,
            "reason": reason,
        },
    )
    # What was decided in between took numbers that gateways know for something else: it is sent again under new ones.
    ambiguous = find_active(Restriction.objects.filter(number__gt=continues))
    publish_changes(Change.What.COVERS, ambiguous, now=now, names=unchanged_names([one.number for one in ambiguous]))
    notify_on_commit(CHANGES_CHANNEL)
    return epoch
