"""What a decision about many has not put into force yet, put into force portion by portion, each in its transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from accounts.models import Account
from governance.audit.actions import audit_log_lock
from governance.platform.transactions import retried_transaction
from governance.restrictions.actions import is_undoing, restrict_campaign, supersede, undo
from governance.restrictions.models import LiftedOrigin, Restriction
from governance.review.models import Case, Decision, Dismissal
from governance.review.reach import PORTION, accounts_left, cases_left, cases_to_close, restrictions_left
from governance.review.resolving import reopen_all, resolve
from governance.review.undoing import resolve_again


class _Left(NamedTuple):
    """A portion of what is left: whom to restrict, what to end, and the cases to close and to open again."""

    accounts: Sequence[Account]
    numbers: Sequence[int]
    closing: Sequence[UUID]
    again: Sequence[UUID]


def carry_out_decisions(*, now: datetime) -> int:
    """Put the rest of all decisions into force; how many portions that were. Safe to run twice, and anywhere."""
    portions = 0
    for decision in Decision.objects.unfinished().order_by("number").values_list("pk", flat=True):
        while _carry_out_some(decision, now=now):
            portions += 1
    return portions


@retried_transaction
def _carry_out_some(decision_id: UUID, *, now: datetime) -> bool:
    """Put a portion into force; False where nothing was left, or the decision does not stand any more.

    Cases are locked before the log, as everywhere. With the log locked nobody can undo the decision, or decide again.
    """
    in_full = Decision.objects.select_related("case__account", "decided_by", "undone_by", "restriction__campaign")
    decision = in_full.get(pk=decision_id)
    left = _Left(
        accounts=list(accounts_left(decision)[:PORTION]),
        numbers=list(restrictions_left(decision).values_list("number", flat=True)[:PORTION]),
        closing=list(cases_to_close(decision).order_by("pk").values_list("pk", flat=True)[:PORTION]),
        again=list(cases_left(decision).order_by("pk").values_list("pk", flat=True)[:PORTION]),
    )
    covered = Q(account__in=left.accounts, status=Case.Status.OPEN)
    covered |= Q(pk__in=[decision.case_id, *left.closing, *left.again])
    list(Case.objects.select_for_update().filter(covered).order_by("pk").values_list("pk"))
    audit_log_lock()
    before = decision.undone_at
    decision.refresh_from_db(fields=["is_unfinished", "undone_at"])
    if decision.undone_at != before:  # while this waited for the lock: other cases are to be opened now
        return True
    if decision.undone_at is not None:
        is_more = decision.is_unfinished and _go_on_undoing(decision, left.again, now=now)
    else:
        is_more = decision.is_unfinished and _stands(decision) and _go_on(decision, left, now=now)
    if not is_more:
        Decision.objects.filter(pk=decision.pk).update(is_unfinished=False)
    return is_more


def _go_on_undoing(decision: Decision, cases: Sequence[UUID], *, now: datetime) -> bool:
    """Undo a portion of a decision that was undone, and open these cases again; False where nothing was left."""
    by, origins = decision.undone_by or decision.decided_by, [decision.origin]
    is_more = is_undoing(origins)
    if is_more:
        done = undo(origins, note=decision.undone_note, by=by.actor, now=now, most=PORTION)
        resolve_again(done.restored, decision.case.account_id, by=by, now=now)
    opened = reopen_all(Case.objects.filter(pk__in=cases), why=decision, by=by.actor, now=now)
    return is_more or bool(opened)


def _go_on(decision: Decision, left: _Left, *, now: datetime) -> bool:
    """Put a portion into force; False where nothing was left."""
    accounts, numbers, closing, again = left
    by = decision.decided_by.actor
    made = decision.restriction
    if made is None or _is_over(made, now=now) or LiftedOrigin.objects.has(decision.origin):
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
        resolve(decision, Q(account__in=accounts) | Q(pk__in=closing), by=by, now=now)
    dismissed = decision.action == Dismissal.DISMISS
    ending = Restriction.Ending.LIFTED if dismissed else Restriction.Ending.REPLACED
    supersede(numbers, origin=decision.origin, ending=ending, note="Replaced by a new decision.", by=by, now=now)
    reopened = reopen_all(Case.objects.filter(pk__in=again), why=decision, by=by, now=now)
    return bool(accounts or numbers or closing or reopened)


def _stands(decision: Decision) -> bool:
    """Whether it was neither undone, nor followed by another decision about the account.

    Where all of it was lifted, it stands: nobody else is restricted, and what it takes the place of is ended.
    """
    return decision.undone_at is None and not Decision.objects.standing().after(decision).exists()


def _is_over(restriction: Restriction, *, now: datetime) -> bool:
    return restriction.expires_at is not None and restriction.expires_at <= now
