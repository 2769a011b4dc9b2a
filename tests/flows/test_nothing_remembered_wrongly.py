"""What a process has looked up decides nothing once another process, or a failover, has changed it."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Account, ApiKey
from governance.audit.models import Entry
from governance.gateways.epochs import begin_epoch
from governance.restrictions.publication import cover_new_names
from governance.usage.models import UsageEvent
from tests.factories import MACHINE, account, service_key, usage_event
from tests.flows.registered import Seller
from tests.front import Served, served
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "/api/v1/usage-events"


def batch(**members: Any) -> str:
    return json.dumps({"events": [usage_event(occurred_at=timezone.now().isoformat(), **members)]})


class Sender:
    """Sends usage to this process of Stillwatch, or to another one."""

    def __init__(self, *scopes: str) -> None:
        self._headers = service_key("usage:write", *scopes, name="sender")[1]

    def here(self, **members: Any) -> int:
        client = Client(raise_request_exception=False)
        return client.post(ADDRESS, batch(**members), content_type="application/json", **self._headers).status_code

    def elsewhere(self, port: int, **members: Any) -> int:
        headers = {"Content-Type": "application/json", "Authorization": self._headers["HTTP_AUTHORIZATION"]}
        caller = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            caller.request("POST", ADDRESS, batch(**members), headers)
            return caller.getresponse().status
        finally:
            caller.close()


@pytest.fixture
def other_process(web_server: int) -> int:
    return web_server


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    with served() as one:
        yield one


class TestAKeyThatMovesAwayInAnotherProcessAndBack:
    def test_is_refused_with_the_account_that_it_is_back_at(
        self, front: Served, other_process: int, tmp_path: Path
    ) -> None:
        sender = Sender("usage:keys")
        assert sender.here(account="acct_harvest", api_key="key_1") == 202
        Seller(tmp_path).blocks(account="acct_harvest")
        assert sender.elsewhere(other_process, account="acct_free", api_key="key_1") == 202
        assert ApiKey.objects.get().account.external_id == "acct_free"

        assert sender.here(account="acct_harvest", api_key="key_1") == 202

        cover_new_names(now=timezone.now())
        wait_until(lambda: front.check(api_key="key_1")["decision"] == "deny", "the key is refused")
        moves = Entry.objects.filter(verb="key.moved").order_by("number").values_list("details", flat=True)
        assert [(one["from"], one["to"]) for one in moves] == [
            ("acct_harvest", "acct_free"),
            ("acct_free", "acct_harvest"),
        ]


class TestAFailoverThatLostAnAccount:
    """Processes that ran through it have met the account; the database that was promoted never had it."""

    @staticmethod
    def fails_over(lost: str) -> int:
        """The primary key of what was lost, which is the next to be given."""
        with connection.cursor() as cursor:
            primary_key = Account.objects.get(external_id=lost).pk
            for table in ("usage_usageevent", "usage_profiledelta", "usage_dirtyaccount", "accounts_apikey"):
                cursor.execute(f"DELETE FROM {table} WHERE account_id = %s", [primary_key])  # noqa: S608 - from above
            cursor.execute("DELETE FROM accounts_account WHERE id = %s", [primary_key])
            sequence = "pg_get_serial_sequence('accounts_account', 'id')"
            cursor.execute(f"SELECT setval({sequence}, %s, false)", [primary_key])
        return primary_key

    @pytest.mark.parametrize("is_noticed", [True, False])
    def test_takes_its_usage_in_again(self, is_noticed: bool) -> None:  # noqa: FBT001 - a parameter of the test
        sender = Sender()
        assert sender.here(account="acct_new", api_key="key_1") == 202
        self.fails_over("acct_new")
        if is_noticed:
            begin_epoch(reason="promoted", by=MACHINE, now=timezone.now())

        assert sender.here(account="acct_new", api_key="key_1") == 202

        event, key = UsageEvent.objects.get(), ApiKey.objects.get()
        assert event.account.external_id == key.account.external_id == "acct_new"

    def test_gives_its_usage_to_nobody_else(self) -> None:
        sender = Sender()
        assert sender.here(account="acct_new", api_key="key_1") == 202
        primary_key = self.fails_over("acct_new")
        other = account("acct_other")
        assert other.pk == primary_key

        assert sender.here(account="acct_new", api_key="key_1") == 202

        assert UsageEvent.objects.get().account.external_id == "acct_new"
        assert ApiKey.objects.get().account.external_id == "acct_new"
        assert not UsageEvent.objects.filter(account=other).exists()
