"""`manage.py doctor`, and the banner of a disk that is nearly full."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from celery import current_app
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from governance import tasks
from governance.management import doctor
from governance.platform import heartbeats
from governance.usage import backpressure
from governance.usage.actions import record_lines
from governance.usage.models import DirtyAccount
from tests.factories import NOW, line, person
from tests.front import Served, served
from tests.gateways.upstream import serving
from tests.review.pages import signed_in, text
from tests.servers import free_port

pytestmark = pytest.mark.django_db


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def leave_free(patch: pytest.MonkeyPatch, percent: float) -> None:
    """Of every disk, as far as the operating system says."""
    free = int(1000 * percent)
    patch.setattr(shutil, "disk_usage", lambda _: Usage(100_000, 100_000 - free, free))


def troubles_with(word: str) -> list[str]:
    return [trouble for trouble in doctor.troubles(now=NOW) if word in trouble]


def beat(*queues: str, seconds_ago: float = 0.0) -> None:
    for queue in queues:
        heartbeats.record_heartbeat(queue, now=NOW - timedelta(seconds=seconds_ago))


class TestANearlyFullDisk:
    @pytest.mark.parametrize(
        ("percent", "said"),
        [(10.0, ""), (9.9, "The disk is filling up: 9.9 %"), (2.0, "filling up"), (1.9, "nearly full: 1.9 %")],
    )
    def test_is_in_the_banner_of_every_page(self, monkeypatch: pytest.MonkeyPatch, percent: float, said: str) -> None:
        leave_free(monkeypatch, percent)

        banner = text(signed_in(person()).get("/enforcement/alarm/"))

        assert said in banner
        assert ("The disk" in banner) is bool(said)

    @override_settings(EMBEDDED=False)
    def test_is_not_ours_where_the_servers_are_elsewhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        leave_free(monkeypatch, 1)

        assert "The disk" not in text(signed_in(person()).get("/enforcement/alarm/"))
        assert troubles_with("disk") == []

    @pytest.mark.parametrize(("percent", "found"), [(10.0, 0), (9.9, 1)])
    def test_is_named_by_the_doctor(self, monkeypatch: pytest.MonkeyPatch, percent: float, found: int) -> None:
        leave_free(monkeypatch, percent)

        assert len(troubles_with("is free")) == found


class TestTheTimetable:
    def test_has_run_where_both_queues_have_noted_it(self) -> None:
        beat("celery", "delivery", seconds_ago=60)

        assert troubles_with("timetable") == troubles_with("start it") == []

    def test_is_silent_where_neither_has(self) -> None:
        never = troubles_with("timetable")
        beat("celery", "delivery", seconds_ago=61)

        assert "has run yet" in never[0]
        assert "has run since 2026-11-02 09:12:59 UTC" in troubles_with("timetable")[0]

    @pytest.mark.parametrize(("queue", "process"), [("celery", "worker"), ("delivery", "courier")])
    def test_names_the_process_that_does_nothing(self, queue: str, process: str) -> None:
        beat("celery", "delivery")
        beat(queue, seconds_ago=61)

        assert troubles_with("has done nothing") == [
            f"The {process} has done nothing since 2026-11-02 09:12:59 UTC: start it."
        ]

    def test_is_noted_by_its_task(self) -> None:
        tasks.record_heartbeat("delivery")

        noted = heartbeats.last_heartbeats()
        assert noted["celery"] is None
        assert noted["delivery"] is not None


class TestABacklog:
    def test_is_named_with_its_age(self) -> None:
        record_lines([line(account="acct_slow")], source="native", now=NOW - timedelta(minutes=6))
        backpressure.reset_lag_cache()

        assert len(troubles_with("has waited for its score for 360 s")) == 1

    def test_names_dead_letters(self) -> None:
        record_lines([line(account="acct_bad")], source="native", now=NOW)
        DirtyAccount.objects.update(dead_lettered_at=NOW)

        assert len(troubles_with("1 account failed scoring three times")) == 1


class TestServersThatAreAway:
    def test_are_named(self) -> None:
        with override_settings(CHECK_URL=f"http://127.0.0.1:{free_port()}"):
            assert len(troubles_with("The check does not answer")) == 1

    def test_the_check_of_a_running_up_is_found_where_it_is(self, tmp_path: Path) -> None:
        file = tmp_path / "check-url"
        file.write_text("http://127.0.0.1:1\n")

        with override_settings(CHECK_URL="http://127.0.0.1:2", CHECK_URL_FILE=file, CHECK_URL_IS_GIVEN=False):
            found = troubles_with("The check does not answer at http://127.0.0.1:1/health/")
        with override_settings(CHECK_URL="http://127.0.0.1:2", CHECK_URL_FILE=file, CHECK_URL_IS_GIVEN=True):
            given = troubles_with("The check does not answer at http://127.0.0.1:2/health/")

        assert (len(found), len(given)) == (1, 1)

    def test_that_checks_go_on_is_said_only_where_they_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        nowhere = {**connection.settings_dict["OPTIONS"], "host": "/nowhere"}
        monkeypatch.setitem(connection.settings_dict, "OPTIONS", nowhere)
        with override_settings(CHECK_URL=f"http://127.0.0.1:{free_port()}"):
            nothing_runs = troubles_with("PostgreSQL does not answer")
        with serving() as check, override_settings(CHECK_URL=f"http://127.0.0.1:{check.port}"):
            check_runs = troubles_with("PostgreSQL does not answer")

        assert ["checks go on" in line for line in (*nothing_runs, *check_runs)] == [False, True]

    def test_a_broker_that_is_away_delays_work(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(current_app.conf, "broker_url", f"redis://127.0.0.1:{free_port()}/0")

        [said] = troubles_with("broker")

        assert said.startswith("The broker does not answer (")
        assert said.endswith("): work is delayed until it is started again.")

    def test_a_database_that_refuses_is_quoted(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE usage_dirtyaccount RENAME TO somewhere_else")

        [said] = troubles_with("PostgreSQL refuses")

        assert "usage_dirtyaccount" in said
        assert "\n" not in said

    def test_a_database_of_a_version_before_the_first_that_can_be_upgraded_is_named_alone(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('risk', '0001_initial', now())")

        assert len(troubles_with("made by a version before 0.2.0")) == 1
        assert troubles_with("lacks") == []

    def test_one_migration_less_is_named(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'platform' AND name = '0001_initial'")

        assert troubles_with("lacks") == ["The database lacks 1 migration: run manage.py migrate."]


@pytest.mark.django_db(transaction=True)
class TestTheCheck:
    @pytest.fixture
    def front(self, transactional_db: None, settings: Any) -> Iterator[Served]:
        with served() as front:
            settings.CHECK_URL = front.url
            yield front

    def test_that_has_not_reached_the_database_for_a_while_is_named(
        self, front: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("governance.gateways.check.app.UP_TO_DATE_SECONDS", -1.0)

        [said] = troubles_with("The check at")

        assert f"{front.url}/health/ is not up to date: nothing was read for 0 s." in said

    def test_is_well_with_all_the_rest(self, front: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        leave_free(monkeypatch, 50)
        for queue in heartbeats.QUEUES:
            heartbeats.record_heartbeat(queue, now=timezone.now())
        said = StringIO()

        call_command("doctor", stdout=said)

        assert said.getvalue() == "Nothing is wrong.\n"


class TestTheCommand:
    def test_ends_with_status_1_where_something_is_wrong(self) -> None:
        said = StringIO()

        with override_settings(CHECK_URL=f"http://127.0.0.1:{free_port()}"), pytest.raises(SystemExit) as ended:
            call_command("doctor", stdout=said)

        assert ended.value.code == 1
        assert "The check does not answer" in said.getvalue()
