"""The history of cases: each step is a row beside the case, and an entry of the log."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from governance.audit.actions import NewEntry, record_all
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.review.models import Case, Step


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
