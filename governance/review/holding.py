"""Put an open case on hold until a time, hand it to somebody, or ask the leads: each with a reason that is shown."""

from datetime import datetime
from typing import Any

from django.db.models import Q

from governance.platform.leases import lease_ended
from governance.platform.transactions import retried_transaction
from governance.review.deciding import raise_who_won
from governance.review.inbox import notify
from governance.review.models import CLAIM_LASTS, GIVEN_BACK, Case, InboxItem, Step
from governance.review.steps import add_step
from governance.staff.models import User
from governance.staff.roles import ESCALATED_TO

UNASSIGNED = {"assigned_to": None, "assigned_by": None, "assigned_because": ""}
NOT_HELD = {"held_until": None, "held_by": None, "held_because": ""}


@retried_transaction
def hold(case: Case, *, until: datetime, because: str, by: User, now: datetime) -> None:
    """Take the case out of the queue until a time, at which it is back by itself. Raises CaseTakenError,
    AlreadyDecidedError.
    """
    _change(case, by=by, now=now, held_until=until, held_by=by, held_because=because, **GIVEN_BACK)
    details = {"until": until.isoformat(), "because": because}
    text = f"Until {until:%-d %b %Y, %H:%M} UTC. {because}"
    add_step(case, Step.Kind.HELD, by=by.actor, now=now, text=text, details=details)


@retried_transaction
def resume(case: Case, *, by: User, now: datetime) -> None:
    """Take the case off hold now; nothing happens where it is not on hold."""
    held = Case.objects.filter(pk=case.pk, status=Case.Status.OPEN).held(at=now)
    if held.update(held_until=now):
        add_step(case, Step.Kind.RESUMED, by=by.actor, now=now)


@retried_transaction
def assign(case: Case, *, to: User | None, because: str, by: User, now: datetime) -> None:
    """Make the case somebody's: Next hands it to nobody else, and they find it in their inbox. Without a person it is
    everybody's again. Raises CaseTakenError, AlreadyDecidedError.
    """
    same = Case.objects.filter(pk=case.pk, status=Case.Status.OPEN, assigned_to=to, assigned_by=by)
    if same.filter(assigned_because=because).exists():
        return  # the same form sent again
    given_back = GIVEN_BACK if to != by else {}
    _change(case, by=by, now=now, assigned_to=to, assigned_by=by, assigned_because=because, **given_back)
    name = to.name if to is not None else "nobody"
    details = {"to": str(to.pk) if to is not None else None, "because": because}
    add_step(case, Step.Kind.ASSIGNED, by=by.actor, now=now, text=f"To {name}. {because}".strip(), details=details)
    if to is not None and to != by:
        notify([to], case, InboxItem.Kind.ASSIGNED, text=because, by=by, now=now)


@retried_transaction
def escalate(case: Case, *, because: str, by: User, now: datetime) -> None:
    """Ask the leads: Next hands the case to leads only, who find it in their inbox. It is nobody's then, and no longer
    on hold. Raises CaseTakenError, AlreadyDecidedError.
    """
    if Case.objects.escalated().filter(pk=case.pk, escalated_by=by, escalated_because=because).exists():
        return  # the same form sent again
    asked = {"escalated_at": now, "escalated_by": by, "escalated_because": because}
    _change(case, by=by, now=now, **asked, **GIVEN_BACK, **UNASSIGNED, **NOT_HELD)
    add_step(case, Step.Kind.ESCALATED, by=by.actor, now=now, text=because, details={"because": because})
    leads = User.objects.filter(is_active=True, role__in=ESCALATED_TO).exclude(pk=by.pk)
    notify(leads, case, InboxItem.Kind.ESCALATED, text=because, by=by, now=now)


@retried_transaction
def answer_escalation(case: Case, *, answer: str, by: User, now: datetime) -> None:
    """Give an escalated case back to the reviewers with an answer, which the one who asked finds in their inbox.
    Nothing happens where it is not escalated. Raises CaseTakenError, AlreadyDecidedError.
    """
    asked = Case.objects.select_related("escalated_by").get(pk=case.pk)
    if asked.escalated_at is None:
        return
    _change(case, by=by, now=now, escalated_at=None, escalated_by=None, escalated_because="", **GIVEN_BACK)
    add_step(case, Step.Kind.RETURNED, by=by.actor, now=now, text=answer, details={"answer": answer})
    if asked.escalated_by is not None and asked.escalated_by != by:
        notify([asked.escalated_by], case, InboxItem.Kind.RETURNED, text=answer, by=by, now=now)


def _change(case: Case, *, by: User, now: datetime, **columns: Any) -> None:
    """Change an open case that nobody else has claimed."""
    is_free = lease_ended("claimed_until", at=now, duration=CLAIM_LASTS) | Q(claimed_by=by)
    if not Case.objects.filter(is_free, pk=case.pk, status=Case.Status.OPEN).update(**columns):
        raise_who_won(case)
