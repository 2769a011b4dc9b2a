"""From usage to assessment and case, with real workers that are killed."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from celery import current_app
from django.db import connection, transaction

from accounts.models import Account
from governance import pipeline
from governance.audit.models import Entry
from governance.demo import world
from governance.detection.models import Assessment
from governance.review.models import Case
from governance.usage.actions import record_lines
from governance.usage.models import DirtyAccount, UsageEvent
from governance.usage.scoring_queue import claim_dirty_accounts, finish_scoring, lock_current_claims, request_rescore
from tests.factories import NOW, line, training_licence
from tests.flows.worker import environment, kill, running_worker
from tests.waiting import PATIENCE, wait_until

LATER = NOW + timedelta(hours=1)


def use(*accounts: str) -> None:
    record_lines([line(account=name) for name in accounts for _ in range(3)], source="native", now=NOW)


@pytest.fixture(scope="module")
def harvest() -> list[bytes]:
    """Two weeks of one account that harvests answers, as lines, with its account named acct_harvest."""
    made = world.build_world(seed=7, ends_at=NOW, accounts=60)
    name = next(account for account, kind in made.labels.items() if kind == "release_pivot")
    events = [event | {"account": "acct_harvest"} for event in made.events() if event["account"] == name]
    return [msgspec.json.encode(event) for event in events]


@pytest.mark.django_db
class TestGoverning:
    def test_opens_a_case_for_a_harvest(self, harvest: list[bytes]) -> None:
        record_lines(harvest, source="native", now=NOW)

        pipeline.govern(now=NOW)

        case = Case.objects.get()
        assert case.own_account.external_id == "acct_harvest"
        assert case.score == case.assessment.score >= 50
        assert sum(finding["points"] for finding in case.assessment.findings) == case.score

    def test_scores_a_licensed_distiller_and_opens_no_case(self, harvest: list[bytes]) -> None:
        record_lines(harvest, source="native", now=NOW)
        training_licence(Account.objects.get())

        pipeline.govern(now=NOW)

        assessment = Assessment.objects.get()
        assert assessment.licensed
        assert assessment.score >= 50
        assert not Case.objects.exists()

    def test_opens_one_case_however_often_it_scores(self, harvest: list[bytes]) -> None:
        for start in range(0, len(harvest), 500):
            record_lines(harvest[start : start + 500], source="native", now=NOW)
            pipeline.govern(now=NOW)

        assert Case.objects.count() == 1

    def test_confirms_an_assessment_that_says_nothing_new(self) -> None:
        use("acct_quiet")
        pipeline.govern(now=NOW)
        use("acct_quiet")

        pipeline.govern(now=LATER)

        assert Assessment.objects.get().confirmed_at == LATER

    def test_leaves_nobody_dirty(self) -> None:
        use("acct_a", "acct_b", "acct_c")

        pipeline.govern(now=NOW)

        assert not DirtyAccount.objects.exists()

    def test_keeps_an_account_dirty_that_was_used_while_it_was_scored(self) -> None:
        use("acct_busy")
        claimed = claim_dirty_accounts(limit=10, now=NOW)
        use("acct_busy")

        with transaction.atomic():
            finish_scoring(lock_current_claims(claimed), now=NOW)

        assert DirtyAccount.objects.waiting(at=NOW).count() == 1

    def test_lets_no_worker_write_whose_claim_was_given_to_another(self) -> None:
        use("acct_contested")
        slow = claim_dirty_accounts(limit=10, now=NOW)
        claim_dirty_accounts(limit=10, now=LATER)

        with transaction.atomic():
            assert lock_current_claims(slow) == []


@pytest.mark.django_db
class TestAnAccountThatCannotBeScored:
    @pytest.fixture(autouse=True)
    def _a_database_that_refuses_its_assessment(self) -> None:
        use("acct_good", "acct_bad", "acct_also_good")
        with connection.cursor() as cursor:
            cursor.execute(
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF NEW.account_id = (SELECT id FROM accounts_account WHERE external_id = 'acct_bad') THEN
                        RAISE EXCEPTION 'no';
                    END IF;
                    RETURN NEW;
                END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON detection_assessment FOR EACH ROW EXECUTE FUNCTION refuse();
                """
            )

    def test_takes_no_other_along(self) -> None:
        for minutes in (0, 5):
            pipeline.govern(now=NOW + timedelta(minutes=minutes))

        assert {a.account.external_id for a in Assessment.objects.all()} == {"acct_good", "acct_also_good"}

    def test_is_put_aside_after_three_attempts_where_people_see_it(self) -> None:
        for minutes in range(0, 25, 5):
            pipeline.govern(now=NOW + timedelta(minutes=minutes))

        dead_letter = DirtyAccount.objects.dead_letters().get()
        assert (dead_letter.account.external_id, dead_letter.attempts) == ("acct_bad", 3)
        assert Entry.objects.get(verb="scoring.dead_lettered").subject_id == "acct_bad"


@pytest.mark.django_db(transaction=True)
class TestAWorker:
    ACCOUNTS = [f"acct_{number}" for number in range(120)]

    @pytest.mark.long
    def test_killed_in_the_middle_of_a_batch_loses_nothing(self) -> None:
        use(*self.ACCOUNTS)
        with transaction.atomic(), connection.cursor() as cursor:
            # The worker reads and thinks, and then has to wait before it can write: that is where it is killed.
            cursor.execute("LOCK TABLE detection_assessment IN EXCLUSIVE MODE")
            with running_worker() as worker:
                wait_until(lambda: DirtyAccount.objects.filter(attempts=1).count() == 120, "the batch was begun")
                kill(worker)

        assert DirtyAccount.objects.count() == 120
        assert not Assessment.objects.exists()
        while pipeline.govern(now=LATER.replace(year=2027)):
            pass
        assert Assessment.objects.count() == 120
        assert not DirtyAccount.objects.exists()

    def test_finds_the_work_though_the_broker_has_forgotten_it(self, tmp_path: Path) -> None:
        use(*self.ACCOUNTS)
        current_app.control.purge()

        with running_worker(timetable=tmp_path / "timetable"):
            wait_until(lambda: not DirtyAccount.objects.exists(), "everybody was scored")

        assert Assessment.objects.count() == 120


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_usage_is_taken_in_though_the_broker_is_dead(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(line())

    done = subprocess.run(
        [sys.executable, "manage.py", "import_usage", file],
        env=environment() | {"BROKER_URL": "redis://127.0.0.1:1/0"},
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )

    assert b"did not take a message" in done.stderr
    assert UsageEvent.objects.count() == DirtyAccount.objects.count() == 1


@pytest.mark.django_db
class TestAnAccountThatGoesOn:
    def test_is_not_looked_at_again_for_a_request_in_a_hundred(self) -> None:
        record_lines([line(account="acct_busy") for _ in range(100)], source="native", now=NOW)
        pipeline.govern(now=NOW)
        use("acct_busy")

        pipeline.govern(now=NOW + timedelta(minutes=10))

        assert Assessment.objects.get().events == 100
        assert not DirtyAccount.objects.exists()

    def test_is_looked_at_after_some_hours_all_the_same(self) -> None:
        record_lines([line(account="acct_busy") for _ in range(100)], source="native", now=NOW)
        pipeline.govern(now=NOW)
        use("acct_busy")

        pipeline.govern(now=NOW + timedelta(hours=6))

        assert Assessment.objects.get().events == 103

    def test_is_looked_at_whenever_somebody_asks_for_it(self) -> None:
        record_lines([line(account="acct_busy") for _ in range(100)], source="native", now=NOW)
        pipeline.govern(now=NOW)
        request_rescore([Account.objects.get().pk], now=NOW)

        pipeline.govern(now=NOW + timedelta(minutes=10))

        assert Assessment.objects.get().confirmed_at == NOW + timedelta(minutes=10)
