"""A licensed distiller whose licence has ended is queued from then on, without sending anything new."""

from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from django.core.management import call_command
from django.test import Client
from time_machine import travel

from accounts.actions import register_accounts
from accounts.register import AccountLine, LicenceValue
from governance import pipeline, tasks
from governance.demo import world
from governance.detection.models import Assessment
from governance.review.models import Case
from governance.usage.actions import record_lines
from tests.factories import MACHINE, NOW, person

pytestmark = pytest.mark.django_db
ENDS = NOW + timedelta(days=1)


@pytest.fixture(scope="module")
def harvest() -> list[bytes]:
    """Two weeks of an account that harvests answers."""
    made = world.build_world(seed=7, ends_at=NOW, accounts=60)
    name = next(account for account, kind in made.labels.items() if kind == "release_pivot")
    return [
        msgspec.json.encode(event | {"account": "acct_harvest"}) for event in made.events() if event["account"] == name
    ]


@pytest.fixture
def licensed(harvest: list[bytes], tmp_path: Path) -> None:
    """It is licensed until tomorrow, and scored."""
    licence = {"training_permitted": True, "starts_at": "2026-01-01T00:00:00Z", "ends_at": ENDS, "reference": "C-18"}
    (file := tmp_path / "accounts.jsonl").write_bytes(
        msgspec.json.encode({"account": "acct_harvest", "licence": licence})
    )
    call_command("import_accounts", str(file), stdout=StringIO())
    record_lines(harvest, source="native", now=NOW)
    score(NOW)


def score(at: datetime) -> None:
    """What workers do at a time."""
    with travel(at, tick=False):
        tasks.rescore_changed_licences()
        tasks.score_dirty_accounts()


@pytest.mark.usefixtures("licensed")
class TestALicenceThatEnds:
    def test_puts_the_account_into_the_queue_with_the_date(self, client: Client) -> None:
        score(ENDS - timedelta(seconds=1))
        before = Case.objects.count()

        score(ENDS)

        case = Case.objects.get()
        client.force_login(person())
        page = client.get(f"/cases/{case.pk}/").content.decode()
        assert before == 0
        assert "Licence to train ended on 3 November 2026." in page
        assert "ended on 3 Nov 2026" in page
        note = StringIO()
        call_command("explain", "acct_harvest", stdout=note)
        assert "Licence to train ended on 3 November 2026." in note.getvalue()

    def test_has_it_scored_once(self) -> None:
        score(ENDS)
        confirmed_at = Assessment.objects.latest("pk").confirmed_at

        assert pipeline.rescore_changed_licences(now=ENDS + timedelta(hours=1)) == 0
        score(ENDS + timedelta(hours=1))

        assert Assessment.objects.latest("pk").confirmed_at == confirmed_at

    def test_is_the_same_where_the_seller_takes_it_back(self) -> None:
        register_accounts([AccountLine("acct_harvest", licence=LicenceValue())], by=MACHINE, now=NOW)

        score(NOW + timedelta(minutes=1))

        assert Case.objects.get().assessment.licensed is False

    def test_leaves_the_account_alone_where_another_follows_it(self) -> None:
        renewed = LicenceValue(training_permitted=True, starts_at=ENDS, reference="C-19")
        register_accounts([AccountLine("acct_harvest", licence=renewed)], by=MACHINE, now=NOW)

        score(ENDS)

        assert not Case.objects.exists()
