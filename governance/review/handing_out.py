"""Next: hand the most urgent free case to somebody, and claim it for them."""

import uuid
from datetime import datetime

from governance.platform.transactions import retried_transaction
from governance.review.actions import SENT_AGAIN_WITHIN
from governance.review.deciding import raise_who_won
from governance.review.models import CLAIM_LASTS, GIVEN_BACK, Case, SkippedCase, Step
from governance.review.queue_filters import QueueFilter, cases_in_view
from governance.review.steps import add_step
from governance.staff.models import User
from governance.web.cursors import Cursor, rows_after


@retried_transaction
def claim_next(queue_filter: QueueFilter, *, leaving: uuid.UUID | None, by: User, now: datetime) -> Case | None:
    """Claim the first case of a list that nobody else works on, and return it; None where there is none.

    `leaving` is the case that the user goes on from: the search starts behind it, and again from the top; and if Next
    had handed it out it is given back. Two people who ask at the same moment get different cases.
    """
    left = Case.objects.filter(pk=leaving).first() if leaving is not None else None
    found = _first_free(queue_filter, left, user=by, now=now)
    _give_back(left, by=by, now=now)
    if found is None:
        return None
    is_new = found.claimant(at=now) != by.pk
    Case.objects.filter(pk=found.pk).update(
        claimed_by=by, claimed_until=now + CLAIM_LASTS, is_handed_out=is_new or found.is_handed_out
    )
    if is_new:
        add_step(found, Step.Kind.CLAIMED, by=by.actor, now=now)
    return found


def find_next_case(queue_filter: QueueFilter, *, leaving: uuid.UUID | None, user: User, now: datetime) -> Case | None:
    """Return the case that Next would hand out, for somebody who only looks."""
    left = Case.objects.filter(pk=leaving).first() if leaving is not None else None
    return _first_free(queue_filter, left, user=user, now=now, is_locked=False)


@retried_transaction
def skip(case: Case, *, because: str, by: User, now: datetime) -> None:
    """Leave the open case to others: Next does not hand it to this user again for some hours. Raises
    AlreadyDecidedError, CaseEndedError.
    """
    if not Case.objects.select_for_update().filter(pk=case.pk, status=Case.Status.OPEN).exists():
        raise_who_won(case)
    is_again = _is_skipped_again(case, because=because, by=by, now=now)
    SkippedCase.objects.update_or_create(case=case, user=by, defaults={"at": now})
    own = Case.objects.filter(pk=case.pk, claimed_by=by, status=Case.Status.OPEN)
    own.update(**GIVEN_BACK)
    if not is_again:
        add_step(case, Step.Kind.SKIPPED, by=by.actor, now=now, text=because, details={"because": because})


def prolong_claim(case: Case, *, by: User, now: datetime) -> bool:
    """Let a claim last for another half an hour, since its owner is at work; False where they have none."""
    claimed = Case.objects.claimed(at=now).filter(pk=case.pk, claimed_by=by, status=Case.Status.OPEN)
    return bool(claimed.update(claimed_until=now + CLAIM_LASTS))


def _is_skipped_again(case: Case, *, because: str, by: User, now: datetime) -> bool:
    """Return whether the same form was sent again within minutes."""
    since = now - SENT_AGAIN_WITHIN
    is_same = case.steps.filter(kind=Step.Kind.SKIPPED, by=by.actor.name, text=because, at__gt=since).exists()
    return is_same and SkippedCase.objects.filter(case=case, user=by, at__gt=since).exists()


def _first_free(
    queue_filter: QueueFilter, left: Case | None, *, user: User, now: datetime, is_locked: bool = True
) -> Case | None:
    asked = queue_filter.for_next()
    free = cases_in_view(asked, user=user, now=now).for_next(user, at=now)
    is_still_free = left is not None and free.filter(pk=left.pk).exists()
    if is_locked:
        free = free.select_for_update(skip_locked=True, of=("self",))
    if left is None or not is_still_free:  # put off, it is no place in the list to go on from
        return free.first()
    others = free.exclude(pk=left.pk)
    return rows_after(others, Cursor.at(left, asked.order), asked.order).first() or others.first()


def _give_back(left: Case | None, *, by: User, now: datetime) -> None:
    if left is None or not left.is_handed_out:
        return
    own = Case.objects.filter(pk=left.pk, claimed_by=by, is_handed_out=True, claimed_until__gt=now)
    if own.update(**GIVEN_BACK):
        add_step(left, Step.Kind.RELEASED, by=by.actor, now=now)
