"""Sharing a campaign with a partner: one person proposes it, another releases it, and it can be taken back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Max

from governance.audit.actions import audit_log_lock, record
from governance.audit.verbs import Verb
from governance.campaigns.models import Campaign
from governance.platform.transactions import retried_transaction
from governance.sharing.models import Partner, Share, SharedObject, Tlp
from governance.sharing.queries import list_patterns, preview_share
from governance.sharing.stix import revoke
from governance.staff.models import User

# What was looked at long ago must be looked at again.
PROPOSAL_LASTS: Final = timedelta(days=14)
_BATCH: Final = 500


class ShareError(Exception):
    """It cannot be shared, or not like this, or not by this person. The message says why."""


@retried_transaction
def propose_share(campaign: Campaign, partner: Partner, *, tlp: Tlp, reason: str, by: User, now: datetime) -> Share:
    """Propose what of the campaign goes to the partner; nothing leaves yet. Raises ShareError, DecryptionError."""
    locked = Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
    _check_partner(locked, tlp, now=now)
    if Share.objects.filter(campaign=campaign, partner=locked, state__in=Share.LIVE).exists():
        raise ShareError("This campaign is proposed or released to this partner already.")
    preview = preview_share(campaign, locked, tlp=tlp, now=now)
    if not preview.objects:
        raise ShareError("Nothing of this campaign can leave: see what may, below.")
    share = Share.objects.create(
        campaign=campaign,
        partner=locked,
        tlp=tlp,
        reason=reason,
        accounts=len(preview.accounts),
        account_pks=preview.accounts,
        stix=preview.objects,
        proposed_at=now,
        proposed_by=by,
    )
    details = _details(share) | {
        "tlp": tlp.value,
        "accounts": len(preview.accounts),
        "objects": len(preview.objects),
        "reason": reason,
    }
    record(Verb.SHARE_PROPOSED, subject=_subject(share), by=by.actor, now=now, details=details)
    return share


@retried_transaction
def release_share(share: Share, *, by: User, now: datetime) -> Share:
    """Approve what another person proposed, and put it into the collection of the partner. Raises ShareError.

    Refused where something of it could not leave any more, since an account of it has access again, or somebody else
    is known by the same.
    """
    locked = _lock(share, Share.State.PROPOSED)
    if locked.proposed_by_id == by.pk:
        raise ShareError("Another person than the one who proposed it must approve it.")
    if now - locked.proposed_at > PROPOSAL_LASTS:
        raise ShareError("It was proposed more than 14 days ago: decline it, and propose it again.")
    _check_partner(locked.partner, Tlp(locked.tlp), now=now)
    still = preview_share(locked.campaign, locked.partner, tlp=Tlp(locked.tlp), now=now)
    if not set(list_patterns(locked.stix)) <= set(list_patterns(still.objects)):
        raise ShareError("Something of it may not leave any more: decline it, and propose it again.")
    locked.state, locked.decided_at, locked.decided_by = Share.State.RELEASED, now, by
    locked.save(update_fields=["state", "decided_at", "decided_by"])
    record(Verb.SHARE_APPROVED, subject=_subject(locked), by=by.actor, now=now, details=_details(locked))
    _add_objects(locked, locked.stix, now=now)
    details = _details(locked) | {"objects": len(locked.stix)}
    record(Verb.SHARE_RELEASED, subject=_subject(locked), by=by.actor, now=now, details=details)
    return locked


@retried_transaction
def decline_share(share: Share, *, by: User, now: datetime) -> Share:
    """Let nothing of it leave; also for the person who proposed it. Raises ShareError."""
    locked = _lock(share, Share.State.PROPOSED)
    locked.state, locked.decided_at, locked.decided_by = Share.State.DECLINED, now, by
    locked.save(update_fields=["state", "decided_at", "decided_by"])
    record(Verb.SHARE_DECLINED, subject=_subject(locked), by=by.actor, now=now, details=_details(locked))
    return locked


@retried_transaction
def retract_share(share: Share, *, reason: str, by: User, now: datetime) -> Share:
    """Tell the partner that it counts no more: every object in the collection is revoked. Raises ShareError."""
    locked = _lock(share, Share.State.RELEASED)
    locked.state, locked.retracted_at, locked.retracted_by = Share.State.RETRACTED, now, by
    locked.retracted_because = reason
    locked.save(update_fields=["state", "retracted_at", "retracted_by", "retracted_because"])
    objects = [revoke(one.content, now=now) for one in locked.shared_objects.order_by("pk")]
    _add_objects(locked, objects, now=now)
    details = _details(locked) | {"objects": len(objects), "reason": reason}
    record(Verb.SHARE_RETRACTED, subject=_subject(locked), by=by.actor, now=now, details=details)
    return locked


def _check_partner(partner: Partner, tlp: Tlp, *, now: datetime) -> None:
    if not partner.receives or not partner.is_usable(at=now):
        raise ShareError(f"{partner.name} receives nothing, or nothing any more.")
    if tlp.rank > Tlp(partner.tlp).rank:
        raise ShareError(f"{partner.name} gets nothing stricter than {Tlp(partner.tlp).label}.")


def _lock(share: Share, state: Share.State) -> Share:
    locked = Share.objects.select_for_update(of=("self",)).select_related("partner", "campaign").get(pk=share.pk)
    if locked.state != state:
        raise ShareError(f"It is {locked.get_state_display().lower()} already.")
    return locked


def _add_objects(share: Share, objects: Sequence[dict[str, Any]], *, now: datetime) -> None:
    """Put objects into the collection, in their newest version.

    Under the lock of the log, which is held to the end of the transaction: who reads the collection up to a time has
    everything that was added before.
    """
    audit_log_lock()
    newest = SharedObject.objects.filter(partner=share.partner).aggregate(at=Max("added_at"))["at"]
    added_at = max(now, newest + timedelta(microseconds=1)) if newest else now
    rows = [
        SharedObject(
            partner=share.partner,
            # Who says it is said of all shares.
            share=None if one["type"] == "identity" else share,
            stix_id=one["id"],
            stix_type=one["type"],
            version=one["modified"],
            content=one,
            added_at=added_at,
        )
        for one in objects
    ]
    SharedObject.objects.bulk_create(
        rows,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["partner", "stix_id"],
        update_fields=["version", "content", "added_at"],
    )


def _details(share: Share) -> dict[str, Any]:
    return {"partner": str(share.partner_id), "campaign": str(share.campaign_id)}


def _subject(share: Share) -> tuple[str, str]:
    return "share", str(share.pk)
