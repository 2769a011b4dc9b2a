"""Open cases for accounts that have none and are decided about with others; end them where that is undone, so that the
queue is as it was.
"""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from typing import Final
from uuid import UUID

from governance.review.models import BulkDecision, BulkTarget, Case, Decision, Step
from governance.review.opening_by_hand import AlreadyOpenError, open_case_by_hand
from governance.review.steps import add_step
from governance.staff.models import User
from governance.web.counts import pluralize

# What somebody says of a case is theirs to go on with.
WORKED_ON: Final = (Step.Kind.NOTED, Step.Kind.HELD, Step.Kind.ASSIGNED, Step.Kind.ESCALATED, Step.Kind.RETURNED)
WAS_UNDONE: Final = "Opened for a decision about many accounts, which was undone."


def open_case(bulk: BulkDecision, target: BulkTarget, *, now: datetime) -> None:
    """Open a case of an account that has none, unless somebody has just done so. Raises NotAssessedError."""
    reason = f"Opened for a decision about this account and {pluralize(bulk.targets.count() - 1, 'other')}."
    key, by = bulk.key_of(target.account_id), bulk.decided_by
    with suppress(AlreadyOpenError):
        target.case = open_case_by_hand(target.account, reason=reason, by=by, now=now, case_id=key)
        target.save(update_fields=["case"])


def end_opened_case(bulk: BulkDecision, undone: Decision, *, by: User, now: datetime) -> None:
    """End the case of a decision that was undone, if it was opened for that. If the score has risen since, it stays:
    that may ask for a person; also if somebody has said something of it. The caller holds its lock.
    """
    case = Case.objects.select_related("account").get(pk=undone.case_id)
    is_opened_here = case.pk == bulk.key_of(case.own_account.pk)
    if is_opened_here and case.is_open and case.score <= undone.assessment.score and not _worked_on([case]):
        _end(case, by=by, now=now)


def end_cases_opened_in_vain(bulk: BulkDecision, accounts: Collection[int], *, by: User, now: datetime) -> None:
    """End the cases that were opened for these accounts and not decided, unless somebody has claimed them or
    has said something of them.
    """
    keys = [bulk.key_of(account) for account in accounts]
    opened = Case.objects.unclaimed(at=now).filter(pk__in=keys, status=Case.Status.OPEN)
    locked = list(opened.select_for_update(of=("self",)).select_related("account").order_by("pk"))
    worked_on = _worked_on(locked)
    for case in locked:
        if case.pk not in worked_on:
            _end(case, by=by, now=now)


def _worked_on(cases: Collection[Case]) -> set[UUID]:
    said = Step.objects.filter(case__in=cases, kind__in=WORKED_ON)
    return set(said.order_by().values_list("case", flat=True))


def _end(case: Case, *, by: User, now: datetime) -> None:
    case.status, case.closed_at = Case.Status.ENDED, now
    case.claimed_by = case.claimed_until = None
    case.save(update_fields=["status", "closed_at", "claimed_by", "claimed_until"])
    add_step(case, Step.Kind.ENDED, by=by.actor, now=now, text=WAS_UNDONE, details=case.subject_details)
