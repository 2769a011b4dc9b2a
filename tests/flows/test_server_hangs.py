"""PostgreSQL hangs and another takes its place: every process leaves its silent connection and goes to the new one."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from governance.gateways.models import GatewayInstance
from governance.platform import timeouts
from governance.settings import DATABASES
from stillwatch_gateway import Gateway
from tests.flows.registered import Seller
from tests.front import served
from tests.silent_server import Passage, passage
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hanging(transactional_db: None, settings: Settings) -> Iterator[Passage]:
    settings.DATABASE_SILENT_SECONDS = 1.0
    with passage() as one:
        yield one


def answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


class TestTheCheck:
    def test_goes_to_the_server_that_took_over(self, hanging: Passage, tmp_path: Path) -> None:
        seller = Seller(tmp_path)
        seller.imports({"account": "acct_harbour"}, {"account": "acct_quill"})
        with served() as front:
            number = seller.blocks(account="acct_harbour")
            assert front.check(account="acct_harbour", min_sequence=number)["decision"] == "deny"
            hanging.hang()
            connection.close()

            number = seller.blocks(account="acct_quill")

            wait_until(lambda: front.check(account="acct_quill")["decision"] == "deny", "the block has arrived")
            wait_until(lambda: front.check(account="acct_quill")["age"] < 5, "the check is up to date")
            register = front.front.registered
            seller.imports({"account": "acct_new"})
            wait_until(lambda: "acct_new" in register, "the register is read")
            wait_until(
                lambda: GatewayInstance.objects.filter(gateway=None, sequence__gte=number).exists(), "it is reported"
            )

    def test_says_that_it_is_not_up_to_date(self, hanging: Passage, tmp_path: Path, settings: Settings) -> None:
        Seller(tmp_path)
        settings.DATABASE_SILENT_SECONDS = 60.0
        with served() as front:
            assert front.ask("/health/").body == b"ok\n"
            assert front.check(account="acct_harbour")["decision"] == "allow"  # so the check knows the key
            hanging.hang()
            connection.close()

            wait_until(lambda: front.ask("/health/").body.startswith(b"not up to date"), "health says it")

            wait_until(lambda: front.check(account="acct_harbour").get("age", 0) > 5, "answers say it too")
            hanging.close()  # so that the check ends at once

    def test_hands_out_a_snapshot_that_nobody_takes_for_the_newest(
        self, hanging: Passage, tmp_path: Path, settings: Settings
    ) -> None:
        seller = Seller(tmp_path)
        seller.imports({"account": "acct_harbour"}, {"account": "acct_quill"})
        settings.DATABASE_SILENT_SECONDS = 60.0
        ages: list[float] = []
        with served() as front, ExitStack() as started:
            number = seller.blocks(account="acct_harbour")
            assert front.check(account="acct_harbour", min_sequence=number)["decision"] == "deny"
            first = started.enter_context(closing(Gateway(front.url, front.secret, tmp_path / "first")))
            assert first.start(PATIENCE)  # from then on the check has a snapshot
            hanging.hang()
            connection.close()
            wait_until(lambda: front.ask("/health/").body.startswith(b"not up to date"), "nothing was read for seconds")

            second = Gateway(front.url, front.secret, tmp_path / "second", on_change=lambda _: ages.append(second.age))
            started.enter_context(closing(second))
            second.start(PATIENCE)

            assert not second.decide(account="acct_harbour").allowed
            assert min(ages) > 5
            hanging.close()  # so that the check ends at once


class TestAWebProcessOrWorker:
    def test_leaves_a_connection_that_no_longer_works(self, hanging: Passage) -> None:
        assert answers()
        hanging.hang()

        connection.close_if_unusable_or_obsolete()  # as before each request and each task

        assert answers()
        assert hanging.connections == 2

    def test_waits_for_no_answer_for_ever(self, hanging: Passage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(connection.settings_dict, "SILENT_SECONDS", 1.0)
        assert answers()
        hanging.hang()

        with pytest.raises(OperationalError, match="said nothing"):
            answers()
        connection.close()
        assert answers()


def test_every_connection_notices_that_its_server_is_gone() -> None:
    assert timeouts.LEAVES_LOST_SERVERS.keys() <= DATABASES["default"]["OPTIONS"].keys()
