"""A day that cannot get its table now is no reason to refuse its events; a database that does not answer is."""

import logging
from collections.abc import Iterator
from datetime import date

import pytest
from django.db import OperationalError, connection, transaction

from governance.gateways.check import sql
from governance.usage import partitions
from governance.usage.partitions import ensure_partitions, list_partition_days

pytestmark = pytest.mark.django_db
DAY = date(2031, 1, 1)


@pytest.fixture(autouse=True)
def _a_long_query(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Reads usage events until the test is over."""
    monkeypatch.setattr(partitions, "LOCK_TIMEOUT", "20ms")
    with sql.connect() as reader, reader.transaction():
        reader.execute("SELECT FROM usage_usageevent_default")
        yield


def test_a_day_is_made_later_where_a_long_query_reads_events(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        ensure_partitions([DAY])

    assert "No partition for 2031-01-01" in caplog.text
    assert DAY not in list_partition_days()


def test_a_database_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "LOCK_TIMEOUT", "20s")

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20ms'")

    with pytest.raises(OperationalError, match="statement timeout"), transaction.atomic():
        ensure_partitions([DAY])
