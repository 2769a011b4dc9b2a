"""Tasks of the timetable: what fails is done at its next turn, and a database that is away fills no log."""

import logging

import pytest
from django.db import connection

from governance import tasks
from governance.gateways.check import sql
from governance.webhooks.actions import add_webhook
from governance.webhooks.models import Delivery
from tests.factories import MACHINE, NOW, account, restriction

pytestmark = pytest.mark.django_db


class TestATaskThatFails:
    def test_because_the_database_does_not_serve_it_is_logged_in_a_line(self, caplog: pytest.LogCaptureFixture) -> None:
        with sql.connect() as other, other.transaction(), connection.cursor() as cursor:
            other.execute("LOCK TABLE platform_heartbeat IN ACCESS EXCLUSIVE MODE")
            cursor.execute("SET LOCAL lock_timeout = '10ms'")
            with caplog.at_level(logging.WARNING):
                done = tasks.record_heartbeat.apply(("delivery",))

        assert done.failed()
        [line] = [one.getMessage() for one in caplog.records if one.name == "governance.celery"]
        assert line.startswith("governance.tasks.record_heartbeat waits for its next run: PostgreSQL did not answer (")
        assert "\n" not in line

    def test_for_another_reason_is_no_matter_of_the_database(self, caplog: pytest.LogCaptureFixture) -> None:
        done = tasks.deliver_webhook.apply(("no id",))

        assert done.failed()
        assert "waits for its next run" not in caplog.text


def test_a_change_of_what_is_in_force_is_delivered_to_every_webhook() -> None:
    webhook, _ = add_webhook("https://hooks.example.com/", by=MACHINE, now=NOW)
    restriction(account("acct_harbour"))

    tasks.deliver_restrictions()

    assert [one.webhook for one in Delivery.objects.all()] == [webhook]
