"""Other processes, and a day that has no table yet or soon none any more."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from governance.platform.database_roles import READ
from governance.usage import intake
from governance.usage.actions import IntakeResult, drop_old_usage, record_lines
from governance.usage.partitions import count_events_in_default, create_partitions, drop_partition, list_partition_days
from tests.factories import NOW, line
from tests.flows.test_least_privilege import connected_as
from tests.waiting import PATIENCE


def take_in_a_thread() -> IntakeResult:
    try:
        return record_lines([line()], source="native", now=NOW)
    finally:
        connection.close()


def wait_until_it_waits(outcome: Future[IntakeResult]) -> None:
    until = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            assert not outcome.done(), outcome.result()
            assert time.monotonic() < until
            time.sleep(0.01)


@pytest.mark.django_db(transaction=True)
class TestADayThatAnotherProcessMakes:
    def test_refuses_no_events_that_are_on_their_way_into_the_default_table(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with transaction.atomic():
            drop_partition(NOW.date())  # which a test that commits may have left
        monkeypatch.setattr(intake, "ensure_partitions", lambda _days: None)  # it could not be made soon enough

        with ThreadPoolExecutor() as other:
            with transaction.atomic():
                create_partitions([NOW.date()])
                outcome = other.submit(take_in_a_thread)
                wait_until_it_waits(outcome)
            accepted = outcome.result().accepted

        assert accepted == 1
        assert count_events_in_default() == {}


def drop_in_a_thread() -> list[date]:
    try:
        return drop_old_usage(now=NOW)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
class TestADayThatIsDroppedWhileAReportReads:
    def test_keeps_no_events_waiting_and_is_dropped_later(self, settings: Settings) -> None:
        settings.EVENT_DAYS = 90
        old = NOW.date() - timedelta(days=95)
        create_partitions([old, NOW.date()])
        with ThreadPoolExecutor() as other, connected_as(READ) as report:
            report.execute("SELECT count(*) FROM usage_usageevent")
            dropping = other.submit(drop_in_a_thread)
            taking = other.submit(take_in_a_thread)
            accepted = taking.result(PATIENCE).accepted  # while the report goes on
            dropped = dropping.result(PATIENCE)
            report.rollback()

        assert (accepted, dropped) == (1, [])
        assert old in list_partition_days()
        assert drop_old_usage(now=NOW) == [old]
        assert old not in list_partition_days()
