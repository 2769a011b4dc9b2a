"""What the tests of decisions about many accounts have in common."""

import re
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.test import Client

from accounts.models import Account
from governance.review.bulk.actions import decide_many, get_newest_decision_number
from governance.review.bulk.forms import SeenField
from governance.review.bulk.unfinished import apply_bulk_decisions
from governance.review.models import BulkDecision
from governance.review.verdicts import Verdict
from governance.staff.models import User
from tests.factories import NOW, account, case, person
from tests.review.deciding import BLOCK
from tests.review.pages import block_form, text

NAMES = ("acct_brook", "acct_cove", "acct_dune", "acct_fen", "acct_glen", "acct_heath", "acct_isle")
SOON = NOW + timedelta(minutes=1)


def five_with_cases() -> list[Account]:
    named = enumerate(NAMES[:5])
    return [case(account(name, organisation=f"org_{number}")).own_account for number, name in named]


def started(
    accounts: Sequence[Account],
    verdict: Verdict = BLOCK,
    *,
    by: User | None = None,
    key: uuid.UUID | None = None,
    seen: int | None = None,
    at: datetime = NOW,
) -> BulkDecision:
    """A bulk decision whose accounts all wait, made at this time on what was seen at first."""
    return decide_many(
        [one.pk for one in accounts],
        verdict,
        bulk_id=key or uuid.uuid4(),
        seen=get_newest_decision_number() if seen is None else seen,
        seen_at=NOW,
        by=by or person(),
        now=at,
    )


def carry_on(*, at: datetime = SOON) -> int:
    return apply_bulk_decisions(clock=lambda: at)


def states(bulk: BulkDecision) -> dict[str, tuple[str, str]]:
    """What became of each account, and why."""
    rows = bulk.targets.order_by("account__external_id").values_list("account__external_id", "state", "because")
    return {name: (state, because) for name, state, because in rows}


def bulk_form(accounts: Sequence[Account], *, seen: int = 0, **fields: Any) -> dict[str, Any]:
    """The form of the preview, as the page sends it."""
    pks = [one.pk for one in accounts]
    sent = {"accounts": pks, "listed": ",".join(map(str, pks)), "seen": SeenField.sign(seen, NOW)}
    return block_form() | sent | fields


def as_previewed(client: Client, accounts: Sequence[Account]) -> dict[str, Any]:
    """The form of the preview as somebody has it who looks at it now."""
    page = text(client.get("/bulk/", {"accounts": ",".join(str(one.pk) for one in accounts)}))
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None
    return bulk_form(accounts) | {"seen": seen[1]}
