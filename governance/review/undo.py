"""Undo a decision: within a few minutes it is as if it had not been made, later only its restrictions are lifted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q, QuerySet

from governance.audit.actions import audit_log_lock
from governance.platform.notifications import enqueue_on_commit
from governance.platform.transactions import retried_transaction
from governance.restrictions.actions import lift_origin
from governance.restrictions.models import Restriction
from governance.restrictions.restoration import pass_on_superseded
from governance.restrictions.undo import UndoResult, is_undoing
from governance.restrictions.undo import undo as undo_restrictions
from governance.review.decision_targets import (
    BATCH_SIZE,
    cases_to_close_again,
    decisions_back_in_force,
    origins_of_later_decisions,
)
from governance.review.models import CLAIM_LASTS, DECISIONS, Case, Decision, Step
from governance.review.resolution import reopen_cases, resolve_cases
from governance.review.steps import add_step
from governance.review.verdicts import CannotUndoError
from governance.review.wording import outcome_word
from governance.staff.models import User


class DecisionUndoResult(NamedTuple):
    """What became of a decision: whether it was undone or only lifted, how many restrictions ended and how many were
    restored, whether the case is open again, and whether a worker does the rest.
    """

    is_undone: bool
    ended: int
    restored: int
    is_open: bool
    is_unfinished: bool = False


def can_be_undone(decision: Decision, *, now: datetime) -> bool:
    """Return True if the decision is recent enough to be undone."""
    return decision.undone_at is None and now - decision.decided_at <= timedelta(minutes=settings.UNDO_MINUTES)


def undo_decision(
    case: Case, *, note: str, by: User, now: datetime, asked_at: datetime | None = None, is_claimed: bool = True
) -> DecisionUndoResult:
    """Undo the decision on a case: restore the restrictions it replaced, end its own, and reopen the case, claimed by
    `by` if `is_claimed`, and the cases of other accounts that the decision covered; of very many a first batch, and the
    rest soon after (see unfinished_decisions.py).

    If it was too late to undo when this was asked for (`asked_at`, or now), lift the restrictions of the decision, in
    batches; the decision stands.

    Raises CannotUndoError if the case has no decision that is not undone, or the account was decided about again since.
    """
    decision = Decision.objects.not_undone().filter(case=case).first()
    if decision is not None and not can_be_undone(decision, now=asked_at or now):
        return _lift(decision, note=note, by=by, now=now)
    return _undo(case, note=note, by=by, now=now, is_claimed=is_claimed)


@retried_transaction
def _undo(case: Case, *, note: str, by: User, now: datetime, is_claimed: bool) -> DecisionUndoResult:
    with_it = list(
        Case.objects.filter(resolved_by__case=case.pk).order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE]
    )
    locked = {one.pk: one for one in Case.objects.select_for_update().filter(pk__in=[case.pk, *with_it]).order_by("pk")}
    own = locked[case.pk]
    in_full = Decision.objects.not_undone().select_related("case__account", "case__campaign")
    decision = in_full.filter(case=own).first()
    if decision is None:
        raise CannotUndoError("This case has no decision to undo.")
    _refuse_if_decided_again(decision)
    done = undo_restrictions_of(decision, note=note, by=by, now=now)
    decision.undone_at, decision.undone_by, decision.undone_note = now, by, note
    more_cases = decision.resolved_cases.exclude(pk__in=locked)
    # The cases of an organisation that is restricted again are locked before they are closed, which is the worker's.
    covered = (cases_to_close_again(decision, one) for one in decisions_back_in_force(decision))
    decision.is_unfinished = is_undoing([decision.origin]) or more_cases.exists() or any(map(QuerySet.exists, covered))
    decision.save(update_fields=["undone_at", "undone_by", "undone_note", "is_unfinished"])
    if Decision.objects.unfinished().about(own).exists():
        enqueue_on_commit("governance.tasks.apply_unfinished_decisions")
    resolve_restored(done.restored, own.account_id, by=by, now=now)
    again = reopen_cases(Case.objects.filter(pk__in=locked), why=decision, by=by.actor, now=now)
    is_open = any(one.pk == own.pk for one in again)
    if is_open and is_claimed:
        Case.objects.filter(pk=own.pk).update(claimed_by=by, claimed_until=now + CLAIM_LASTS, is_handed_out=False)
    details = {
        "decision": str(decision.pk),
        **decision.case.subject_details,
        "action": decision.action,
        "note": note,
        "ended": [one.number for one in done.ended],
        "restored": [one.number for one in done.restored],
    }
    add_step(own, Step.Kind.UNDONE, by=by.actor, now=now, text=note, details=details)
    return DecisionUndoResult(
        is_undone=True,
        ended=len(done.ended),
        restored=len(done.restored),
        is_open=is_open,
        is_unfinished=decision.is_unfinished,
    )


def undo_restrictions_of(decision: Decision, *, note: str, by: User, now: datetime) -> UndoResult:
    """End and restore a batch of what a decision changed; nothing is restored on an account that staff decided about
    since. The caller holds the locks of the cases.
    """
    audit_log_lock()
    pass_on_superseded(decision.origin, origins_of_later_decisions(decision), by=by.actor, now=now)
    return undo_restrictions([decision.origin], note=note, by=by.actor, now=now, most=BATCH_SIZE)


def _refuse_if_decided_again(decision: Decision) -> None:
    since = Decision.objects.not_undone().after(decision)
    later = since.select_related("decided_by").order_by("-number").first()
    if later is not None:
        whom = "this campaign" if decision.is_about_campaign else "this account"
        detail = f"{later.decided_by} decided on {whom} again: {outcome_word(later.action)}."
        raise CannotUndoError(f"{detail} Undo that decision first.")


def resolve_restored(restored: Sequence[Restriction], account_pk: int | None, *, by: User, now: datetime) -> None:
    """Close the cases of other accounts again that decisions about a campaign cover, of what was restored."""
    origins = {one.origin.removeprefix(DECISIONS) for one in restored if one.origin.startswith(DECISIONS)}
    wide = Decision.objects.filter(pk__in=origins, scope=Decision.Scope.CAMPAIGN).select_related(
        "case__account", "case__campaign"
    )
    for decision in wide:
        own = [one.account_id for one in restored if one.origin == decision.origin]
        resolve_cases(decision, Q(account__in=own) & ~Q(account=account_pk), by=by.actor, now=now)


def _lift(decision: Decision, *, note: str, by: User, now: datetime) -> DecisionUndoResult:
    lifted = lift_origin(decision.origin, note=note, by=by.actor, now=now)
    if lifted:
        Step.objects.create(case=decision.case, kind=Step.Kind.LIFTED, at=now, by=str(by.actor), text=note)
    return DecisionUndoResult(is_undone=False, ended=len(lifted), restored=0, is_open=False)
