"""Two processes and a day that has no table yet."""

import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from governance.usage import intake
from governance.usage.actions import IntakeResult, record_lines
from governance.usage.partitions import count_events_in_default, create_partitions, drop_partition
from tests.factories import NOW, line
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
