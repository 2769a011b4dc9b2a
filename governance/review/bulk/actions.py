"""Start and undo a decision about many accounts. What follows for each account is the worker's: see unfinished.py."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max

from accounts.models import Account
from governance.audit.actions import record
from governance.audit.verbs import Verb
from governance.platform.notifications import enqueue_on_commit
from governance.platform.transactions import retried_transaction
from governance.review.bulk.opened_cases import end_cases_opened_in_vain
from governance.review.models import BulkDecision, BulkTarget, Decision
from governance.review.verdicts import CannotUndoError, Verdict
from governance.staff.models import User

WAITING = BulkTarget.State.WAITING
TASK = "governance.tasks.apply_bulk_decisions"
UNDONE_FIRST = "The decision about all was undone before this account was reached."


class NoSuchAccountsError(Exception):
    """None of the ticked accounts exists. `field` of the form is at fault."""

    field = "accounts"

    def __init__(self) -> None:
        super().__init__("None of the ticked accounts exists. Go back to the list and tick again.")


class BulkSentBeforeError(Exception):
    """The form was sent before, and made another decision: carries it."""

    def __init__(self, bulk: BulkDecision) -> None:
        super().__init__("This form was sent before, with another choice. Nothing was changed now.")
        self.bulk = bulk


def get_newest_decision_number() -> int:
    """Return the number of the newest decision: what a preview has seen."""
    return Decision.objects.aggregate(newest=Max("number"))["newest"] or 0


@retried_transaction
def decide_many(
    accounts: Collection[int],
    verdict: Verdict,
    *,
    bulk_id: uuid.UUID,
    seen: int,
    seen_at: datetime,
    by: User,
    now: datetime,
) -> BulkDecision:
    """Store a verdict about these accounts, by primary key. A worker decides about one after the other.

    Accounts that do not exist are left out; the scope is always each account by itself. The same `bulk_id` again
    answers with the decision that was stored. Raises BulkSentBeforeError where that is another one,
    NoSuchAccountsError where there is nobody to decide about.

    Args:
        seen: number of the newest decision when the user looked at the accounts; those decided about since are skipped.
            At most that of the newest one now: nobody has seen what is decided later.
        seen_at: when that was; those that a colleague put on hold, assigned or escalated since are skipped.
    """
    found = list(Account.objects.filter(pk__in=accounts).order_by("pk"))
    if not found:
        raise NoSuchAccountsError
    verdict = replace(verdict, scope=Decision.Scope.ACCOUNT)
    fields = asdict(verdict)
    del fields["scope"]
    known = {"seen": min(seen, get_newest_decision_number()), "seen_at": min(seen_at, now)}
    bulk, is_new = BulkDecision.objects.get_or_create(
        pk=bulk_id, defaults={**known, "decided_at": now, "decided_by": by, **fields}
    )
    if not is_new:
        is_same = {one.pk for one in found} == set(bulk.targets.values_list("account", flat=True))
        if bulk.decided_by_id != by.pk or Verdict.of_bulk(bulk).differences(verdict) or not is_same:
            raise BulkSentBeforeError(bulk)
        return bulk
    BulkTarget.objects.bulk_create(BulkTarget(bulk=bulk, account=account) for account in found)
    details = {
        "action": bulk.action,
        "reason": bulk.reason,
        "terms_clause": bulk.terms_clause,
        "note": bulk.note,
        "accounts": sorted(account.external_id for account in found),
    }
    record(Verb.BULK_DECIDED, subject=("bulk", str(bulk.pk)), by=by.actor, now=now, details=details)
    enqueue_on_commit(TASK)
    return bulk


def can_all_be_undone(bulk: BulkDecision, targets: Iterable[BulkTarget], *, now: datetime) -> bool:
    """Return True if accounts wait for the decision about many, or it was made about the last of them soon before.

    Args:
        targets: all of them, with their decisions.
    """
    every = list(targets)
    if bulk.undone_at is not None:
        return False
    last = max((one.decision.decided_at for one in every if one.decision is not None), default=bulk.decided_at)
    is_recent = now - last <= timedelta(minutes=settings.UNDO_MINUTES)
    return is_recent or any(one.state == WAITING for one in every)


@retried_transaction
def start_undoing_all(bulk: BulkDecision, *, note: str, by: User, now: datetime) -> None:
    """Have a worker undo every decision that this one made. Accounts that it did not reach yet are left alone.

    Nothing happens where it is undone already. Raises CannotUndoError where it is too late.
    """
    locked = BulkDecision.objects.select_for_update().get(pk=bulk.pk)
    if locked.undone_at is not None:
        return
    if not can_all_be_undone(locked, locked.targets.select_related("decision"), now=now):
        raise CannotUndoError("It is too late to undo all. Open the case of an account to remove its restriction.")
    locked.undone_at, locked.undone_by, locked.undone_note, locked.is_unfinished = now, by, note, True
    locked.save(update_fields=["undone_at", "undone_by", "undone_note", "is_unfinished"])
    unreached = locked.targets.filter(decision=None).values_list("account", flat=True)
    end_cases_opened_in_vain(locked, unreached, by=by, now=now)
    locked.targets.filter(state=WAITING).update(state=BulkTarget.State.SKIPPED, because=UNDONE_FIRST)
    locked.targets.filter(state=BulkTarget.State.DECIDED).update(attempts=0)
    details = {"action": locked.action, "note": note}
    record(Verb.BULK_UNDONE, subject=("bulk", str(locked.pk)), by=by.actor, now=now, details=details)
    enqueue_on_commit(TASK)
