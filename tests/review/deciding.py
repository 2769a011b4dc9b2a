"""What the tests of decisions have in common."""

import uuid

from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.reasons import Reason
from governance.review.actions import decide
from governance.review.models import Case, Decision, Dismissal
from governance.review.verdicts import (
    Verdict,
)
from governance.staff.models import User
from tests.factories import NOW, person

BLOCK = Verdict(action=RestrictionKind.BLOCK, reason=Reason.BULK_HARVEST, terms_clause="2.3", note="Clear.")


DISMISS = Verdict(action=Dismissal.DISMISS, reason=Reason.EVALUATION)


def decided(about: Case, verdict: Verdict = BLOCK, *, by: User | None = None, key: uuid.UUID | None = None) -> Decision:
    return decide(about, verdict, decision_id=key or uuid.uuid4(), by=by or person(), now=NOW)
