"""A bundle about a campaign of thousands of accounts: every record of it is proved, and it is the same again."""

from pathlib import Path

import pytest
from django.utils import timezone

from governance.audit.publishing import log_keys, publish
from governance.bench.evidence import make_accounts, make_campaign, use_model
from governance.evidence.bundle import write_bundle
from governance.evidence.redaction import Redaction
from governance.evidence.scope import Scope
from governance.evidence.sealing import seal_day
from governance.evidence.verify import verify_bundle
from tests.evidence.outsiders import unpack

pytestmark = [pytest.mark.long, pytest.mark.django_db]
ACCOUNTS = 2_400


def test_a_bundle_of_thousands_of_accounts_is_verified(tmp_path: Path) -> None:
    now = timezone.now()
    accounts = make_accounts(ACCOUNTS, now)
    seal_day(use_model(accounts, 10 * ACCOUNTS, now), now=now)
    opened = make_campaign(accounts, now)
    publish(now=now)
    steps: list[tuple[int, int]] = []

    made = [
        write_bundle(
            Scope(opened, now=now),
            tmp_path / f"{name}.zip",
            redaction=Redaction(),
            progress=lambda done, total: steps.append((done, total)),
        )
        for name in ("first", "second")
    ]

    said = verify_bundle(unpack(tmp_path / "first.zip", tmp_path / "bundle"), [key.verifier for key in log_keys()])
    assert f"{ACCOUNTS} accounts and 80 usage events" in said
    assert made[0] == made[1]
    assert steps[: len(steps) // 2] == sorted(steps[: len(steps) // 2])
    assert steps[-1][0] == steps[-1][1] > 2 * ACCOUNTS
