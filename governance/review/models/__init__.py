"""Cases, their history, and decisions."""

from governance.review.models.bulk import MOST_AT_ONCE, BulkDecision, BulkTarget
from governance.review.models.case import Case, CaseQuerySet, Step
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
from governance.review.models.work import (
    CLAIM_LASTS,
    GIVEN_BACK,
    LONGEST_QUERY,
    LONGEST_REASON,
    SAID_BY,
    SKIP_LASTS,
    VIEWING,
    CaseViewer,
    InboxItem,
    SavedView,
    SkippedCase,
)

__all__ = [
    "ACTIONS",
    "CLAIM_LASTS",
    "DECISIONS",
    "GIVEN_BACK",
    "LONGEST_QUERY",
    "LONGEST_REASON",
    "MOST_AT_ONCE",
    "SAID_BY",
    "SKIP_LASTS",
    "VIEWING",
    "Action",
    "BulkDecision",
    "BulkTarget",
    "Case",
    "CaseQuerySet",
    "CaseViewer",
    "Decision",
    "DecisionQuerySet",
    "DecisionTarget",
    "Dismissal",
    "InboxItem",
    "SavedView",
    "SkippedCase",
    "Step",
    "action_choices",
    "action_info",
    "origin_of",
    "to_action",
]
