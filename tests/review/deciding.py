"""What the tests of decisions have in common."""

import uuid
from collections.abc import Sequence
from dataclasses import replace

from accounts.models import Account
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.reasons import Reason
from governance.review.actions import decide
from governance.review.models import Case, Decision, Dismissal
from governance.review.verdicts import Verdict
from governance.staff.models import User
from tests.factories import NOW, person, ticks

BLOCK = Verdict(action=RestrictionKind.BLOCK, reason=Reason.BULK_HARVEST, terms_clause="2.3", note="Clear.")


DISMISS = Verdict(action=Dismissal.DISMISS, reason=Reason.EVALUATION)


BLOCK_CAMPAIGN = replace(BLOCK, scope=Decision.Scope.CAMPAIGN)
DISMISS_CAMPAIGN = replace(DISMISS, scope=Decision.Scope.CAMPAIGN)


def decide_all(
    opened: Case, verdict: Verdict = BLOCK_CAMPAIGN, *, without: Sequence[Account] = (), by: User | None = None
) -> Decision:
    """Decide the case of a campaign for all its members but for those without."""
    chosen = ticks(opened, without=without)
    return decide(opened, verdict, decision_id=uuid.uuid4(), by=by or person(), now=NOW, ticks=chosen)


def decided(about: Case, verdict: Verdict = BLOCK, *, by: User | None = None, key: uuid.UUID | None = None) -> Decision:
    return decide(about, verdict, decision_id=key or uuid.uuid4(), by=by or person(), now=NOW)
