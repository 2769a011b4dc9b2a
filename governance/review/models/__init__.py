"""Cases, their history, and decisions."""

from governance.review.models.case import CLAIM_LASTS, Case, CaseQuerySet, Step
from governance.review.models.choices import (
    ACTIONS,
    DECISIONS,
    Action,
    Dismissal,
    action_choices,
    action_info,
    to_action,
)
from governance.review.models.decision import Decision, DecisionQuerySet, DecisionTarget, origin_of

__all__ = [
    "ACTIONS",
    "CLAIM_LASTS",
    "DECISIONS",
    "Action",
    "Case",
    "CaseQuerySet",
    "Decision",
    "DecisionQuerySet",
    "DecisionTarget",
    "Dismissal",
    "Step",
    "action_choices",
    "action_info",
    "origin_of",
    "to_action",
]
