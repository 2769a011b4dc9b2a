"""Legal holds: set, kept up to date and lifted."""

import uuid
from datetime import datetime
from typing import Final, NamedTuple

from django.apps import apps
from django.db import connection

from accounts.models import Account, Organisation
from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.platform.locks import Lock, lock_until_commit
from governance.platform.transactions import retried_transaction
from governance.privacy.models import HeldAccount, LegalHold

# Whoever belonged to a campaign stays covered by a hold on it; who joins later is covered from then on.
_COVER: Final = """
    INSERT INTO privacy_heldaccount (hold_id, account_id, since)
    SELECT hold.id, account.id, %(now)s FROM privacy_legalhold hold
    JOIN accounts_account account ON account.id = hold.account_id OR account.organisation_id = hold.organisation_id
    WHERE hold.lifted_at IS NULL AND hold.campaign IS NULL
    UNION
    SELECT hold.id, member.account_id, %(now)s FROM privacy_legalhold hold
    JOIN campaigns_campaignmember member ON member.campaign_id = hold.campaign
    WHERE hold.lifted_at IS NULL AND hold.campaign IS NOT NULL AND member.left_out_because = ''
    ON CONFLICT DO NOTHING
"""


class Target(NamedTuple):
    """An account, an organisation or a campaign: `kind` and `name` as the audit log has them."""

    kind: str
    name: str
    account: Account | None = None
    organisation: Organisation | None = None
    campaign: uuid.UUID | None = None


class UnknownTargetError(LookupError):
    """There is no such account, organisation or campaign."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"There is no {kind} {name}.")


def find_target(kind: str, name: str) -> Target:
    """Raises UnknownTargetError."""
    if kind == "account" and (account := Account.objects.filter(external_id=name).first()) is not None:
        return Target(kind, name, account=account)
    if kind == "organisation" and (found := Organisation.objects.filter(external_id=name).first()) is not None:
        return Target(kind, name, organisation=found)
    if kind == "campaign":
        try:
            campaign = uuid.UUID(name)
        except ValueError:
            raise UnknownTargetError(kind, name) from None
        if apps.get_model("campaigns", "Campaign")._default_manager.filter(pk=campaign).exists():
            return Target(kind, str(campaign), campaign=campaign)
    raise UnknownTargetError(kind, name)


@retried_transaction
def set_hold(target: Target, *, reason: str, by: Actor, now: datetime) -> LegalHold:
    """Keep what there is of the target, whatever retention and erasures say, until the hold is lifted."""
    hold_lock()
    hold = LegalHold.objects.create(
        account=target.account,
        organisation=target.organisation,
        campaign=target.campaign,
        reason=reason,
        set_at=now,
        set_by=str(by),
    )
    cover_held_accounts(now=now)
    details = {"hold": str(hold.pk), "reason": reason, "accounts": hold.accounts.count()}
    record(Verb.LEGAL_HOLD_SET, subject=(target.kind, target.name), by=by, now=now, details=details)
    return hold


@retried_transaction
def extend_holds(campaign: uuid.UUID, *, to: uuid.UUID, by: Actor, now: datetime) -> None:
    """Set the holds on a campaign, for their reasons, on one that has taken in members of it: whoever joins there is
    covered too. Each hold is lifted by itself.
    """
    hold_lock()
    in_force = LegalHold.objects.in_force()
    missing = in_force.filter(campaign=campaign).exclude(reason__in=in_force.filter(campaign=to).values("reason"))
    for reason in dict.fromkeys(missing.order_by("set_at", "pk").values_list("reason", flat=True)):
        set_hold(Target("campaign", str(to), campaign=to), reason=reason, by=by, now=now)


@retried_transaction
def lift_hold(hold: LegalHold, *, reason: str, by: Actor, now: datetime) -> bool:
    """Let retention go on. Return False if the hold was lifted already."""
    hold_lock()
    lifted = LegalHold.objects.in_force().filter(pk=hold.pk)
    if not lifted.update(lifted_at=now, lifted_by=str(by), lifted_because=reason):
        return False
    HeldAccount.objects.filter(hold=hold).delete()
    details = {"hold": str(hold.pk), "reason": reason}
    record(Verb.LEGAL_HOLD_LIFTED, subject=hold.target, by=by, now=now, details=details)
    return True


@retried_transaction
def cover_held_accounts(*, now: datetime) -> int:
    """Cover the accounts that have joined what is held since. Return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_COVER, {"now": now})
        return int(cursor.rowcount)


def hold_lock(*, shared: bool = False) -> None:
    """Wait until nobody sets or lifts a hold, and let nobody do so until this transaction ends.

    What deletes or erases takes it shared, after which no hold can come in between.
    """
    lock_until_commit(Lock.LEGAL_HOLDS, shared=shared)
