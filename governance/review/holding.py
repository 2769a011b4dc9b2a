"""Put an open case on hold until a time, hand it to somebody, or ask the leads: each with a reason that is shown."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from governance.campaigns.models import Campaign
from governance.platform.transactions import retried_transaction
from governance.review.actions import SENT_AGAIN_WITHIN
from governance.review.deciding import refuse_if_leads_decide, refuse_unless_free
from governance.review.inbox_items import notify, settle_escalation, withdraw
from governance.review.models import GIVEN_BACK, Case, InboxItem, Step
from governance.review.steps import add_step, is_step_by
from governance.review.verdicts import (
    AnsweredFirstError,
    AssignedFirstError,
    CaseEndedError,
    EscalatedFirstError,
    HeldFirstError,
)
from governance.staff.models import User
from governance.staff.roles import ESCALATED_TO

UNASSIGNED: Final[Mapping[str, Any]] = {"assigned_to": None, "assigned_by": None, "assigned_because": ""}
NOT_HELD: Final[Mapping[str, Any]] = {"held_until": None, "held_by": None, "held_because": ""}


@retried_transaction
def hold(case: Case, *, until: datetime, because: str, by: User, now: datetime, seen: str = "") -> None:
    """Take the case out of the queue until a time, at which it is back by itself. Raises CaseTakenError,
    AlreadyDecidedError, PartOfCampaignError, EscalatedFirstError where the leads are asked and `by` is none of them,
    and HeldFirstError where a colleague holds it.

    Args:
        seen: `Case.hold_version` as the page showed it. That hold may be replaced.
    """
    locked = _lock(case)
    if locked.is_open and locked.is_held(at=now) and locked.hold_version != seen:
        if _is_same_hold(locked, until=until, because=because, by=by):
            return  # the same form sent again
        if locked.held_by != by:
            raise HeldFirstError(locked)
    refuse_unless_free(locked, is_one_of_many=True, by=by, now=now)
    refuse_if_leads_decide(locked, by=by)
    _change(locked, by=by, now=now, held_until=until, held_by=by, held_because=because, **GIVEN_BACK)
    details = {"until": until.isoformat(), "because": because}
    text = f"Until {until:%-d %b %Y, %H:%M} UTC. {because}"
    add_step(case, Step.Kind.HELD, by=by.actor, now=now, text=text, details=details)


@retried_transaction
def resume(case: Case, *, by: User, now: datetime) -> bool:
    """Take the case off hold now; False where it is not on hold."""
    held = Case.objects.filter(pk=case.pk, status=Case.Status.OPEN).held(at=now)
    if not held.update(held_until=now):
        return False
    add_step(case, Step.Kind.RESUMED, by=by.actor, now=now)
    return True


@retried_transaction
def assign(case: Case, *, to: User | None, because: str, by: User, now: datetime, seen: str = "") -> None:
    """Make the case somebody's: Next hands it to nobody else, and they find it in their inbox. Without a person it is
    everybody's again. Raises CaseTakenError, AlreadyDecidedError, PartOfCampaignError, AssignedFirstError where a
    colleague has assigned it to somebody else, and EscalatedFirstError where only leads may.

    Args:
        seen: the primary key of whom the page showed as assigned. They may be replaced, as may whom `by` assigned.
    """
    locked, to_pk = _lock(case), to.pk if to is not None else None
    if locked.is_open and locked.assigned_to_id is not None:
        made = (locked.assigned_to_id, locked.assigned_by_id, locked.assigned_because)
        if made == (to_pk, by.pk, because):
            return  # the same form sent again
        if str(locked.assigned_to_id) != seen and by.pk not in {locked.assigned_to_id, locked.assigned_by_id}:
            raise AssignedFirstError(locked)
    if locked.escalated_at is not None and by.role not in ESCALATED_TO:
        raise EscalatedFirstError(locked)
    given_back = GIVEN_BACK if to != by else {}
    _change(locked, by=by, now=now, assigned_to=to, assigned_by=by, assigned_because=because, **given_back)
    name = to.name if to is not None else "nobody"
    details = {"to": str(to.pk) if to is not None else None, "because": because}
    add_step(case, Step.Kind.ASSIGNED, by=by.actor, now=now, text=f"To {name}. {because}".strip(), details=details)
    withdraw(case, InboxItem.Kind.ASSIGNED)
    if to is not None and to != by:
        notify([to], case, InboxItem.Kind.ASSIGNED, text=because, by=by, now=now)


@retried_transaction
def escalate(case: Case, *, because: str, by: User, now: datetime) -> None:
    """Ask the leads: Next hands the case to leads only, who find it in their inbox. It is nobody's then, and no longer
    on hold. Raises CaseTakenError, AlreadyDecidedError, PartOfCampaignError, and EscalatedFirstError where it is
    escalated already: the question that the leads have stays.
    """
    locked = _lock(case)
    if locked.is_open and locked.escalated_at is not None:
        if (locked.escalated_by_id, locked.escalated_because) == (by.pk, because):
            return  # the same form sent again
        raise EscalatedFirstError(locked)
    asked: dict[str, Any] = {"escalated_at": now, "escalated_by": by, "escalated_because": because}
    _change(locked, by=by, now=now, **asked, **GIVEN_BACK, **UNASSIGNED, **NOT_HELD)
    add_step(case, Step.Kind.ESCALATED, by=by.actor, now=now, text=because, details={"because": because})
    withdraw(case, InboxItem.Kind.ASSIGNED)
    leads = User.objects.filter(is_active=True, role__in=ESCALATED_TO).exclude(pk=by.pk)
    notify(leads, case, InboxItem.Kind.ESCALATED, text=because, by=by, now=now)


@retried_transaction
def answer_escalation(case: Case, *, answer: str, by: User, now: datetime) -> None:
    """Give an escalated case back to the reviewers with an answer, which the one who asked finds in their inbox.
    Raises CaseTakenError, AlreadyDecidedError, and AnsweredFirstError where it is not escalated any more.
    """
    locked = _lock(case)
    if locked.is_open and locked.escalated_at is None:
        first = case.steps.filter(kind=Step.Kind.RETURNED).order_by("-at", "-pk").first()
        is_recent = first is not None and first.text == answer and first.at > now - SENT_AGAIN_WITHIN
        if first is not None and is_recent and is_step_by(first, by):
            return  # the same form sent again
        raise AnsweredFirstError(first)
    _change(
        locked, by=by, now=now, parts_too=True, escalated_at=None, escalated_by=None, escalated_because="", **GIVEN_BACK
    )
    add_step(case, Step.Kind.RETURNED, by=by.actor, now=now, text=answer, details={"answer": answer})
    settle_escalation(locked, text=answer, by=by, now=now)


def _lock(case: Case) -> Case:
    """Return the case as it is now. Whoever is second, also with the same form, waits here for who is first."""
    return Case.objects.select_for_update().get(pk=case.pk)


def _is_same_hold(locked: Case, *, until: datetime, because: str, by: User) -> bool:
    """Return whether the form was sent again: its hours are counted from when it arrives."""
    assert locked.held_until is not None  # noqa: S101 - it is on hold
    is_same_time = abs(until - locked.held_until) < SENT_AGAIN_WITHIN
    return is_same_time and (locked.held_by, locked.held_because) == (by, because)


def _change(locked: Case, *, by: User, now: datetime, parts_too: bool = False, **columns: Any) -> None:
    """Change an open case that nobody else has claimed. One that is part of its campaign's is in no list, in which
    those who are asked would find it.
    """
    refuse_unless_free(locked, is_one_of_many=not parts_too, by=by, now=now)
    if locked.campaign is not None and locked.campaign.state == Campaign.State.CLOSED:
        raise CaseEndedError(locked)  # it ends with the next search, and nobody would find it
    Case.objects.filter(pk=locked.pk).update(**columns)
