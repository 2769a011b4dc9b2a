"""Policies and assessments, and what follows from them."""

from datetime import datetime, timedelta
from typing import Any

from accounts.models import Account
from governance.detection.models import Assessment
from governance.policies.models import PolicyOutcome, PolicyVersion
from governance.policies.outcomes import apply_due_outcomes, evaluate_policies
from governance.policies.versions import go_live, propose
from governance.review.staff_ceilings import get_staff_ceilings
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import (
    NOW,
    assessment,
    findings,
    person,
)

State = PolicyOutcome.State


HOUR = timedelta(hours=1)


BLOCK = """version = "1"
[[rule]]
name = "Critical"
bands = ["critical"]
action = "block"
reason = "bulk_harvest"
"""


def lead(name: str = "Jonas Lindqvist") -> User:
    return person(name, role=Role.LEAD)


def live(content: str = BLOCK) -> PolicyVersion:
    policy = propose(content, by=lead("Ada Moreau"), now=NOW)
    go_live(policy, by=lead(), now=NOW, early_because="An incident.")
    return policy


def suspect(of: Account, **fields: Any) -> Assessment:
    """One that may be refused access without a person."""
    return assessment(of, **{"findings": findings()} | fields)


def evaluate(*assessments: Assessment, at: datetime = NOW) -> None:
    evaluate_policies(assessments, staff_ceilings=get_staff_ceilings, now=at, random=lambda: 0.5)


def apply_outcomes(*, after: timedelta = timedelta(0)) -> int:
    return apply_due_outcomes(now=NOW + after, staff_ceilings=get_staff_ceilings)


def outcome_for(of: Account, **fields: Any) -> PolicyOutcome:
    evaluate(suspect(of, **fields))
    return PolicyOutcome.objects.get(account=of)
