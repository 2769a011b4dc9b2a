"""Open a case because a person asks for it, whatever the account's score."""

import uuid
from datetime import datetime

from accounts.models import Account
from governance.detection.models import Assessment
from governance.detection.thresholds import due_at
from governance.platform.transactions import retried_transaction
from governance.review.models import Case, Step
from governance.review.steps import add_step
from governance.staff.models import User
from governance.usage.models import DirtyAccount


class NotAssessedError(Exception):
    """The account has never been scored, so a case would have nothing to show."""

    def __init__(self) -> None:
        super().__init__("It was never scored, so there is no case to decide.")


class AlreadyOpenError(Exception):
    """The account has an open case: carries it."""

    def __init__(self, case: Case) -> None:
        super().__init__(f"{case.account} has an open case already.")
        self.case = case


@retried_transaction
def open_case_by_hand(
    account: Account, *, reason: str, by: User, now: datetime, case_id: uuid.UUID | None = None
) -> Case:
    """Open a case of the account on its latest assessment. It is due as soon as any other case with that score.

    Raises AlreadyOpenError, NotAssessedError.
    """
    # Two who ask at once open one case; and what scores the account, which holds the second lock, opens no other.
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    list(DirtyAccount.objects.select_for_update().filter(account=account))
    if waiting := Case.objects.filter(account=account, status=Case.Status.OPEN).select_related("account").first():
        raise AlreadyOpenError(waiting)
    latest = Assessment.objects.filter(account=account).order_by("-assessed_at", "-pk").first()
    if latest is None:
        raise NotAssessedError
    case = Case.objects.create(
        pk=case_id or uuid.uuid4(),
        account=account,
        assessment=latest,
        score=latest.score,
        band=latest.band,
        families=latest.families_against,
        output_tokens=latest.output_tokens,
        opened_at=now,
        due_at=due_at(latest.score, opened_at=now),
    )
    details = {"account": account.external_id, "reason": reason, "score": latest.score}
    add_step(case, Step.Kind.OPENED, by=by.actor, now=now, text=reason, details=details)
    return case
