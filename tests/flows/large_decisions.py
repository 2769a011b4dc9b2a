"""Decisions that take several batches, which are small here."""

import pytest

from accounts.models import Account
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Restriction
from governance.restrictions.reasons import Reason
from governance.review import actions, decision_targets, undo, unfinished_decisions
from governance.review.models import Case, Decision, Dismissal
from governance.review.verdicts import Verdict
from tests.factories import case

BATCH_SIZE = 4
SIZE = 2 * BATCH_SIZE + 2
LAST = f"acct_{SIZE - 1:04}"
BLOCK_COMPANY = Verdict(
    action=RestrictionKind.BLOCK, reason=Reason.COORDINATED_ACCOUNTS, scope=Decision.Scope.ORGANISATION
)
DISMISS = Verdict(action=Dismissal.DISMISS, reason=Reason.EXPECTED_USE)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (actions, decision_targets, undo, unfinished_decisions):
        monkeypatch.setattr(module, "BATCH_SIZE", BATCH_SIZE)


def case_of(name: str) -> Case:
    return case(Account.objects.get(external_id=name))


def blocked() -> int:
    return Restriction.objects.filter(ended_at=None, kind=Restriction.Kind.BLOCK).count()
