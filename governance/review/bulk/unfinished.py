"""Decide about the accounts of bulk decisions, and undo it, one account after the other.

Rows alone say what is left: an account that waits is to be decided, a decided one of an undone bulk decision is to be
undone. Each account is a transaction of its own, in which its row changes too. So a worker that is killed loses nothing
and makes nothing twice, an account that cannot be decided takes no other one along, and nobody else waits for long.
"""

import logging
import traceback
from collections.abc import Callable
from datetime import datetime
from enum import Enum, auto
from typing import Final
from uuid import UUID

from django.db import ProgrammingError
from django.db.models import Q

from governance.platform.transactions import is_permanent_error, retried_transaction
from governance.review.actions import decide
from governance.review.bulk.open_campaign_cases import find_campaigns_with_open_case
from governance.review.bulk.opened_cases import end_opened_case, open_case
from governance.review.models import LONGEST_REASON, BulkDecision, BulkTarget, Case, Decision, Step
from governance.review.opening_by_hand import NotAssessedError
from governance.review.undo import undo_decision
from governance.review.verdicts import LOST_RACES, CannotUndoError, PartOfCampaignError, Verdict
from governance.review.wording import outcome_word
from governance.staff.roles import LIFT_RESTRICTIONS, WORK_CASES

logger = logging.getLogger(__name__)

MOST_ATTEMPTS: Final = 3
TOO_LATE: Final = "It was too late to undo this decision."
FAILED: Final = f"It failed {MOST_ATTEMPTS} times. The log of the worker says why."
NOT_LEFT: Final = Q(state__in=[BulkTarget.State.SKIPPED, BulkTarget.State.UNDONE, BulkTarget.State.KEPT])

Clock = Callable[[], datetime]
State = BulkTarget.State


class _Reached(Enum):
    """How far a transaction came with an account: a step may be left, or another process may be at work."""

    ALL = auto()
    A_STEP = auto()
    NOTHING = auto()


class _SkipError(Exception):
    """Why an account is not decided about."""


def apply_bulk_decisions(*, clock: Clock) -> int:
    """Do what is left of all bulk decisions. Return how many accounts were reached.

    Idempotent, and safe in several processes: the one that holds the row of a bulk decision goes on, others leave it.
    """
    return sum(_apply_rest(pk, clock=clock) for pk in BulkDecision.objects.unfinished().values_list("pk", flat=True))


def _apply_rest(bulk: UUID, *, clock: Clock) -> int:
    reached = 0
    for target in list(
        BulkTarget.objects.exclude(NOT_LEFT).filter(bulk=bulk).order_by("pk").values_list("pk", flat=True)
    ):
        try:
            while (how_far := _apply_to(target, now=clock())) is _Reached.A_STEP:
                pass
        except Exception as error:
            # Where the fault is not the account's, nothing was changed, and the timetable tries again.
            if not is_permanent_error(error) or isinstance(error, ProgrammingError):
                raise
            where = traceback.extract_tb(error.__traceback__)[-1]
            name, place = type(error).__name__, f"{where.filename}:{where.lineno}"
            # The message of an error may hold a customer's words.
            logger.error("Account %s of the bulk decision %s failed: %s at %s", target, bulk, name, place)  # noqa: TRY400
            how_far = _Reached.ALL
            _count_failure(target)
        if how_far is _Reached.NOTHING:
            return reached
        reached += 1
    _finish(bulk)
    return reached


@retried_transaction
def _apply_to(pk: int, *, now: datetime) -> _Reached:
    """Decide about one account, or undo that."""
    target = BulkTarget.objects.select_related("account", "case", "decision").get(pk=pk)
    bulk = BulkDecision.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=target.bulk_id).first()
    if bulk is None:
        return _Reached.NOTHING
    target.refresh_from_db(fields=["state", "case", "decision"])
    if bulk.undone_at is not None and target.state == State.DECIDED:
        _undo(bulk, target, now=now)
    elif bulk.undone_at is None and target.state == State.WAITING:
        try:
            return _decide(bulk, target, now=now)
        except (_SkipError, NotAssessedError, *LOST_RACES) as reason:
            target.state, target.because = State.SKIPPED, str(reason)
            target.save(update_fields=["state", "because"])
    return _Reached.ALL


def _decide(bulk: BulkDecision, target: BulkTarget, *, now: datetime) -> _Reached:
    """Decide the open case of the account. Where it has none, open one, which is a step of its own: a case is locked
    before the log, in which opening it is recorded.
    """
    account, key = target.account, bulk.key_of(target.account_id)
    if not bulk.decided_by.has_perm(WORK_CASES):
        raise _SkipError(f"{bulk.decided_by} may no longer decide.")
    if (made := Decision.objects.filter(pk=key).first()) is None:
        _refuse_if_decided_since(bulk, target)
        case = Case.objects.select_for_update().filter(account=account, status=Case.Status.OPEN).first()
        # Its own case may join that of the campaign later. One that joins now is refused by `decide`, which locks it.
        if find_campaigns_with_open_case([account.pk]):
            raise PartOfCampaignError
        if case is None:
            open_case(bulk, target, now=now)
            return _Reached.A_STEP
        _refuse_if_put_off_since(bulk, case, now=now)
        verdict, by = Verdict.of_bulk(bulk), bulk.decided_by
        made = decide(case, verdict, decision_id=key, by=by, now=now, is_one_of_many=True)
    target.decision, target.case_id, target.state = made, made.case_id, State.DECIDED
    target.save(update_fields=["case", "decision", "state"])
    return _Reached.ALL


def _refuse_if_decided_since(bulk: BulkDecision, target: BulkTarget) -> None:
    """Leave an account to a colleague who decided about it, its campaign or its organisation after the preview was
    shown.
    """
    about = Q(targets__account=target.account_id) | Q(case__account=target.account_id)
    if (organisation := target.account.organisation_id) is not None:
        about |= Q(scope=Decision.Scope.ORGANISATION, restriction__organisation=organisation)
    since = Decision.objects.not_undone().filter(number__gt=bulk.seen).filter(about)
    if (later := since.select_related("decided_by").order_by("-number").first()) is not None:
        left_out = later.targets.filter(account=target.account_id).exclude(left_out_because="").exists()
        what = "left out of a decision" if left_out else outcome_word(later.action)
        raise _SkipError(f"{later.decided_by} decided on it since: {what}.")


def _refuse_if_put_off_since(bulk: BulkDecision, case: Case, *, now: datetime) -> None:
    """Leave a case to a colleague who put it on hold, assigned or escalated it after the preview was shown. The caller
    holds its lock.
    """
    own = bulk.decided_by_id
    put_off_by = {
        Step.Kind.HELD: case.held_by_id if case.is_held(at=now) else None,
        Step.Kind.ASSIGNED: case.assigned_by_id if case.assigned_to_id not in {None, own} else None,
        Step.Kind.ESCALATED: case.escalated_by_id,
    }
    kinds = [kind for kind, person in put_off_by.items() if person not in {None, own}]
    # What a lead answered was not seen either.
    said = Q(kind__in=kinds) | Q(kind=Step.Kind.RETURNED) & ~Q(by=bulk.decided_by.actor.name)
    # One of the release before says only when it was sent.
    since = case.steps.filter(said, at__gte=bulk.seen_at or bulk.decided_at)
    if (step := since.order_by("-at", "-pk").first()) is not None:
        raise _SkipError(f"{step.get_kind_display()} by {step.by} since: {step.text}"[:LONGEST_REASON])


def _undo(bulk: BulkDecision, target: BulkTarget, *, now: datetime) -> None:
    made, by = target.decision, bulk.undone_by
    assert made is not None  # noqa: S101 - constraints say so
    assert by is not None  # noqa: S101
    # With its case locked, nobody undoes the decision, so that another one could be made on the same case meanwhile.
    case = Case.objects.select_for_update().get(pk=made.case_id)
    made.refresh_from_db()
    target.state = State.UNDONE
    if made.undone_at is not None:
        target.because = f"{made.undone_by} had undone it already."
    elif not by.has_perm(LIFT_RESTRICTIONS):
        target.state, target.because = State.KEPT, f"{by} may no longer undo decisions."
    else:
        try:
            done = undo_decision(case, note=bulk.undone_note, by=by, now=now, asked_at=bulk.undone_at, is_claimed=False)
            if done.is_undone:
                end_opened_case(bulk, made, by=by, now=now)
            else:  # it is judged by its own time, whenever the last account of all was reached
                removed = " Its restriction was removed." if done.ended else ""
                target.state, target.because = State.KEPT, f"{TOO_LATE}{removed}"
        except CannotUndoError as reason:
            target.state, target.because = State.KEPT, str(reason)
    target.save(update_fields=["state", "because"])


@retried_transaction
def _count_failure(pk: int) -> None:
    """Give up an account that fails again and again; not one that another process has reached meanwhile, or that need
    not be reached any more since all is undone.
    """
    target = BulkTarget.objects.get(pk=pk)
    bulk = BulkDecision.objects.select_for_update().get(pk=target.bulk_id)
    target.refresh_from_db(fields=["state", "attempts"])
    if target.state != bulk.state_left:
        return
    target.attempts += 1
    if target.attempts >= MOST_ATTEMPTS:
        target.state = State.SKIPPED if target.state == State.WAITING else State.KEPT
        target.because = FAILED
    target.save(update_fields=["attempts", "state", "because"])


@retried_transaction
def _finish(pk: UUID) -> None:
    """Mark a bulk decision as finished if no account of it is left."""
    bulk = BulkDecision.objects.select_for_update().get(pk=pk)
    if not bulk.targets.filter(state=bulk.state_left).exists():
        BulkDecision.objects.filter(pk=pk).update(is_unfinished=False)
