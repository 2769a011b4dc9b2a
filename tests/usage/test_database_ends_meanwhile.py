"""A database that ends while a batch is on its way in."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client

from governance.usage.models import ProfileDelta, UsageEvent
from governance.usage.partitions import create_partitions
from tests.factories import NOW, line, service_key
from tests.waiting import PATIENCE


def send(client: Client, headers: dict[str, Any]) -> Any:
    try:
        return client.post("/api/v1/usage-events", line(), content_type="application/x-ndjson", **headers)
    finally:
        connection.close()


def end_who_waits() -> None:
    """End the connection that waits for a lock, as PostgreSQL does with all of them when it goes down; none of other
    tests, which have databases of their own beside this one.
    """
    until = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database AS own ON own.oid = database "
                "WHERE NOT granted AND own.datname = current_database()"
            )
            if cursor.fetchone():
                return
            assert time.monotonic() < until
            time.sleep(0.01)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", [UsageEvent, ProfileDelta])
def test_asks_the_gateway_to_send_the_batch_again(client: Client, table: type[UsageEvent | ProfileDelta]) -> None:
    create_partitions([NOW.date()])
    _, headers = service_key("usage:write")
    client.raise_request_exception = False

    with ThreadPoolExecutor() as other, time_machine.travel(NOW, tick=False):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table._meta.db_table}")
            answer = other.submit(send, client, headers)
            end_who_waits()
        response = answer.result()

    assert (response.status_code, response.headers.get("Retry-After")) == (503, "5"), response.content
    assert (UsageEvent.objects.count(), ProfileDelta.objects.count()) == (0, 0)
