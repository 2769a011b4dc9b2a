"""The check while its database is away, hangs or has gone back: it answers by what it knows."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from governance.gateways.check import sql
from governance.gateways.check.replica import RestrictionReplica
from governance.gateways.models import LostDecision
from governance.restrictions.models import FeedEpoch
from governance.staff.models import ServiceKey
from governance.staff.service_keys import issue_service_key
from stillwatch_gateway import Gateway
from tests.factories import MACHINE, account, restriction
from tests.flows.going_back import remember_database
from tests.front import Served, served
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def block(*names: str) -> None:
    """In one transaction."""
    with transaction.atomic():
        for name in names:
            restriction(account(name), at=timezone.now())


@contextmanager
def no_new_connection() -> Iterator[None]:
    """What is connected stays so."""
    nowhere = {**connection.settings_dict["OPTIONS"], "host": "/nowhere"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict, "OPTIONS", nowhere)
        yield


@contextmanager
def locked_service_keys() -> Iterator[None]:
    """Nobody can read the keys: a look takes until the lock is free."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'LOCK TABLE "{ServiceKey._meta.db_table}" IN ACCESS EXCLUSIVE MODE')
        yield


class TestAProcessThatKnowsNothingYet:
    @pytest.mark.skipif(not settings.EMBEDDED, reason="the way to PostgreSQL is a folder here, which can be taken away")
    def test_says_so_until_it_has_read_the_restrictions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("governance.gateways.check.app.LOADING_SECONDS", 0.05)
        block("acct_mole")

        with ExitStack() as away:
            away.enter_context(no_new_connection())
            with served() as front:
                before = front.ask("/health/").status, front.ask("/access/check?account=acct_mole").status
                away.close()
                wait_until(lambda: front.ask("/health/").status == 200, "it is connected")
                after = front.check(account="acct_mole")["decision"]

        assert before == (503, 503)
        assert after == "deny"

    def test_logs_once_that_it_cannot_connect(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("governance.gateways.check.replica.PAUSE_AFTER_FAILURE", 0.001)
        tries: list[None] = []

        def away() -> sql.Connection:
            tries.append(None)
            raise psycopg.OperationalError

        replica = RestrictionReplica(timezone.now, away, saved_state=lambda: None)
        replica.start()
        wait_until(lambda: len(tries) > 3, "it has tried again")
        replica.end()

        assert caplog.text.count("Cannot read the restrictions in force") == 1
        assert not replica.is_loaded


class TestAnUnknownServiceKey:
    def test_does_not_wait_for_a_look_that_takes_too_long(self, front: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("governance.gateways.check.app.CAUGHT_UP_SECONDS", 0.05)
        front.check(account="a")  # So that its own key is known before nobody can read keys any more.

        with locked_service_keys():
            unknown = front.ask("/access/check?account=a", key="swk_unknown").status
            known = front.ask("/access/check?account=a").status

        assert (unknown, known) == (401, 200)

    def test_is_refused_at_once_where_too_many_wait_for_a_look(
        self, front: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("governance.gateways.check.app.CAUGHT_UP_SECONDS", PATIENCE)
        monkeypatch.setattr("governance.gateways.check.app.MOST_STRANGERS", 0)

        with locked_service_keys():
            statuses = [front.ask("/access/check?account=a", key="swk_unknown").status for _ in range(2)]

        assert statuses == [401, 401]

    def test_that_was_just_issued_counts_a_moment_later_then(
        self, front: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("governance.gateways.check.app.MOST_STRANGERS", 0)

        _, secret = issue_service_key(name="new", scopes=["access:read"], by=MACHINE, now=datetime.now(UTC))

        wait_until(lambda: front.ask("/access/check?account=a", key=secret).status == 200, "the new key is known")


class TestTheRestrictions:
    def test_are_read_whole_where_more_changed_at_once_than_is_read_at_a_time(
        self, front: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sql, "BATCH_SIZE", 2)
        names = [f"acct_{number}" for number in range(5)]

        block(*names)

        assert front.knows(5)
        assert {front.check(account=name)["decision"] for name in names} == {"deny"}

    def test_stay_in_force_while_the_database_has_no_epoch(
        self, front: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is being restored: an empty one is not taken for one in which nobody is restricted."""
        monkeypatch.setattr("governance.gateways.check.replica.PAUSE_AFTER_FAILURE", 0.01)
        block("acct_mole")
        assert front.knows(1)
        FeedEpoch.objects.all().delete()
        wait_until(lambda: "The database has no epoch of the feed" in caplog.text)
        begun = front.front.replica.looks_begun
        wait_until(lambda: front.front.replica.looks_begun > begun + 3, "it has tried again")

        meanwhile = front.check(account="acct_mole")["decision"]
        call_command("new_epoch", "restored")
        wait_until(lambda: front.front.replica.restricted.sequence > 1_000_000, "the new epoch is known")

        assert caplog.text.count("The database has no epoch of the feed") == 1
        assert (meanwhile, front.check(account="acct_mole")["decision"]) == ("deny", "deny")

    def test_that_a_restore_lost_and_the_check_does_not_remember_are_counted_and_refused_by_clients(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ) -> None:
        monkeypatch.setattr("governance.gateways.check.replica.REMEMBERED", 2)
        with served() as front:
            assert front.front.replica.wait_until_loaded(PATIENCE)  # by then there is an epoch
            block("acct_1")
            put_back = remember_database()
            block("acct_2", "acct_3", "acct_4", "acct_5")
            assert front.knows(5)
            gateway = Gateway(front.url, front.secret, tmp_path, instance="a")
            try:
                assert gateway.start(PATIENCE)
                before = gateway.epoch
                with transaction.atomic():
                    put_back()
                    block("acct_6")  # by the number of another
                wait_until(lambda: gateway.epoch not in {"", before}, "the new epoch is known")

                refused = [number for number in range(8) if not gateway.decide(account=f"acct_{number}").allowed]
            finally:
                gateway.close()

        assert refused == [1, 2, 3, 4, 5, 6]
        named = LostDecision.objects.filter(gateway=None).values_list("target", flat=True)
        assert set(named) == {"account acct_4", "account acct_5"}
        assert "More was lost than this process remembers: it cannot name 2 restrictions after change 1." in caplog.text
