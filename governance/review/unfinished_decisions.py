"""Apply the rest of decisions about many accounts, batch by batch, each batch in a transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from accounts.models import Account
from governance.audit.actions import audit_log_lock
from governance.platform.transactions import retried_transaction
from governance.restrictions.actions import restrict_campaign, supersede
from governance.restrictions.models import LiftedOrigin, Restriction
from governance.restrictions.restoration import is_expired
from governance.restrictions.undo import is_undoing
from governance.review.decision_targets import (
    BATCH_SIZE,
    accounts_left_to_later_decisions,
    accounts_to_restrict,
    cases_to_close,
    cases_to_close_again,
    cases_to_reopen,
    decisions_back_in_force,
    restrictions_to_end,
)
from governance.review.missing_targets import add_missing_targets
from governance.review.models import Case, CaseQuerySet, Decision, Dismissal
from governance.review.resolution import reopen_cases, resolve_cases
from governance.review.undo import can_be_undone, resolve_restored, undo_restrictions_of


class _Batch(NamedTuple):
    """The next batch: accounts to restrict, restrictions to end, and cases to close and to reopen.

    Of a decision that was undone `back` is one that is in force again, for which cases are closed.
    """

    accounts: Sequence[Account]
    numbers: Sequence[int]
    closing: Sequence[UUID]
    again: Sequence[UUID]
    back: Decision | None


def apply_unfinished_decisions(*, now: datetime) -> int:
    """Apply the rest of all unfinished decisions.

    Return the number of batches. Idempotent, and safe in several processes.
    """
    add_missing_targets()
    batches = 0
    while done := sum(_apply_rest(one, now=now) for one in Decision.objects.unfinished().order_by("number")):
        batches += done  # the rest of one that was undone may be what an earlier one waited for
    return batches


def _apply_rest(decision: Decision, *, now: datetime) -> int:
    batches = 0
    while _apply_batch(decision.pk, now=now):
        batches += 1
    return batches


@retried_transaction
def _apply_batch(decision_id: UUID, *, now: datetime) -> bool:
    """Apply one batch. Return False if nothing was left, or another decision followed.

    Cases are locked before the log, as everywhere. With the log locked nobody can undo the decision, or decide again.
    """
    in_full = Decision.objects.select_related(
        "case__account", "case__campaign", "decided_by", "undone_by", "restriction__campaign"
    )
    decision = in_full.get(pk=decision_id)
    if _is_followed(decision):
        if not _can_return(decision, now=now):
            Decision.objects.filter(pk=decision.pk).update(is_unfinished=False)
        return False
    left = _find_batch(decision, now=now) if decision.undone_at is None else _find_batch_to_undo(decision)
    covered = Q(account__in=left.accounts, status=Case.Status.OPEN)
    covered |= Q(pk__in=[decision.case_id, *left.closing, *left.again])
    list(Case.objects.select_for_update().filter(covered).order_by("pk").values_list("pk"))
    audit_log_lock()
    before = decision.undone_at
    decision.refresh_from_db(fields=["is_unfinished", "undone_at"])
    if decision.undone_at != before:  # while this waited for the lock: other cases are to be opened now
        return True
    if _is_followed(decision):
        return False
    apply_batch = _apply if decision.undone_at is None else _undo_batch
    is_more = decision.is_unfinished and apply_batch(decision, left, now=now)
    if not is_more and not _waits_for_later_decisions(decision, now=now):
        Decision.objects.filter(pk=decision.pk).update(is_unfinished=False)
    return is_more


def _find_batch(decision: Decision, *, now: datetime) -> _Batch:
    """What covers accounts of a later batch is ended only when all are restricted, so that nobody is let in between."""
    is_over = decision.restriction is not None and is_expired(decision.restriction, now=now)
    accounts = [] if is_over else list(accounts_to_restrict(decision)[:BATCH_SIZE])
    ended = restrictions_to_end(decision, accounts=accounts)
    return _Batch(
        accounts=accounts,
        numbers=list(ended.values_list("number", flat=True)[:BATCH_SIZE]),
        closing=_first(cases_to_close(decision)),
        again=_first(cases_to_reopen(decision)),
        back=None,
    )


def _find_batch_to_undo(decision: Decision) -> _Batch:
    """The cases that it closed are reopened before those of an organisation that is restricted again are closed."""
    again, back, closing = _first(cases_to_reopen(decision)), None, list[UUID]()
    for one in decisions_back_in_force(decision) if not again else ():
        if closing := _first(cases_to_close_again(decision, one)):
            back = one
            break
    return _Batch(accounts=[], numbers=[], closing=closing, again=again, back=back)


def _first(cases: CaseQuerySet) -> list[UUID]:
    return list(cases.order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE])


def _undo_batch(decision: Decision, left: _Batch, *, now: datetime) -> bool:
    """Undo one batch of a decision that was undone, reopen its cases and close those that an earlier decision covers
    again. Return False if nothing was left.
    """
    by = decision.undone_by or decision.decided_by
    is_more = is_undoing([decision.origin])
    if is_more:
        done = undo_restrictions_of(decision, note=decision.undone_note, by=by, now=now)
        resolve_restored(done.restored, decision.case.account_id, by=by, now=now)
    opened = reopen_cases(Case.objects.filter(pk__in=left.again), why=decision, by=by.actor, now=now)
    closed = resolve_cases(left.back, Q(pk__in=left.closing), by=by.actor, now=now) if left.back is not None else []
    return is_more or bool(opened or closed)


def _apply(decision: Decision, left: _Batch, *, now: datetime) -> bool:
    """Apply one batch. Return False if nothing was left."""
    accounts, numbers, closing, again, _ = left
    by = decision.decided_by.actor
    made = decision.restriction
    if made is not None and (is_expired(made, now=now) or LiftedOrigin.objects.has(decision.origin)):
        accounts, closing = [], []
    if made is not None and made.campaign is not None and accounts:
        restrict_campaign(
            made.campaign,
            made.terms,
            unique_key=decision.origin,
            superseded=numbers,
            accounts=accounts,
            by=by,
            now=now,
        )
    if accounts or closing:
        resolve_cases(decision, Q(account__in=accounts) | Q(pk__in=closing), by=by, now=now)
    dismissed = decision.action == Dismissal.DISMISS
    ending = Restriction.Ending.LIFTED if dismissed else Restriction.Ending.REPLACED
    supersede(numbers, origin=decision.origin, ending=ending, note="Replaced by a new decision.", by=by, now=now)
    reopened = reopen_cases(Case.objects.filter(pk__in=again), why=decision, by=by, now=now)
    return bool(left.accounts or numbers or closing or reopened)


def _is_followed(decision: Decision) -> bool:
    """Return True if another decision about the account was made later, and was not undone altogether.

    Where all of a decision was lifted, it is applied: it restricts no more accounts, and what it replaces is ended.
    """
    if decision.is_about_campaign:  # what follows counts account by account
        return False
    later = Decision.objects.after(decision).filter(Q(undone_at=None) | Q(is_unfinished=True))
    return decision.undone_at is None and later.exists()


def _waits_for_later_decisions(decision: Decision, *, now: datetime) -> bool:
    """Return True if later decisions about accounts that this one covers may be undone still, so that these are to be
    restricted by this one then.
    """
    if decision.undone_at is not None:
        return False
    left = accounts_left_to_later_decisions(decision).values("pk")
    later = Decision.objects.not_undone().filter(number__gt=decision.number)
    about = later.filter(Q(case__account__in=left) | Q(targets__left_out_because="", targets__account__in=left))
    return any(can_be_undone(one, now=now) for one in about.distinct())


def _can_return(decision: Decision, *, now: datetime) -> bool:
    """Return True if all that followed may be undone still, so that the rest of this decision is to be applied then."""
    return all(can_be_undone(later, now=now) for later in Decision.objects.not_undone().after(decision))
