"""The history of cases: each step is a row beside the case, and an entry of the log."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from governance.audit.actions import NewEntry, record_all
from governance.audit.actor import Actor
from governance.audit.models import Entry
from governance.audit.verbs import Verb
from governance.review.models import Case, Step
from governance.staff.models import User


def add_step(
    case: Case,
    kind: Step.Kind,
    *,
    by: Actor,
    now: datetime,
    text: str = "",
    details: Mapping[str, Any] | None = None,
) -> Step:
    return add_steps([case], kind, by=by, now=now, text=text, details=details)[0]


def add_steps(
    cases: Sequence[Case],
    kind: Step.Kind,
    *,
    by: Actor,
    now: datetime,
    text: str = "",
    details: Mapping[str, Any] | None = None,
) -> list[Step]:
    """The same step of several cases."""
    if not cases:
        return []
    steps = Step.objects.bulk_create(Step(case=case, kind=kind, at=now, by=by.name, text=text) for case in cases)
    record_all(
        [NewEntry(Verb(f"case.{kind}"), ("case", str(case.pk)), details or {}) for case in cases], by=by, now=now
    )
    return steps


def is_step_by(step: Step, user: User) -> bool:
    """Return True if this person made the step. It has only a name, which a colleague may have too: the log tells them
    apart.
    """
    if step.by != user.actor.name:
        return False
    entries = Entry.objects.filter(subject_kind="case", subject_id=str(step.case_id), verb=f"case.{step.kind}")
    return entries.filter(actor_kind=user.actor.kind, actor_id=user.actor.id, at=step.at).exists()


def newest_answer(steps: Sequence[Step]) -> Step | None:
    """Return what a lead answered last, of steps with the newest first; None where the case was decided since."""
    for step in steps:
        if step.kind in {Step.Kind.RETURNED, Step.Kind.DECIDED}:
            return step if step.kind == Step.Kind.RETURNED else None
    return None
