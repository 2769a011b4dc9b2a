"""How many names that nobody knew a sender of usage may bring in: so many an hour, counted with what is stored."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, ApiKey, Organisation
from governance.platform.database_roles import RUN
from governance.restrictions.models import Change
from governance.restrictions.publication import cover_new_names
from governance.usage.models import NewNameCount, UsageEvent
from governance.usage.partitions import create_partitions
from tests.factories import NOW, account, restriction, service_key, usage_event
from tests.flows.test_least_privilege import connected_as
from tests.usage.litellm import payload


@pytest.mark.django_db
class TestNewNames:
    @pytest.fixture(autouse=True)
    def _limit(self, settings: Settings) -> None:
        settings.NEW_NAMES_AN_HOUR = 3
        settings.INTAKE_MAX_LAG = 0

    @pytest.fixture
    def key(self) -> dict[str, Any]:
        return service_key("usage:write")[1]

    def test_are_not_counted_where_there_is_no_limit(
        self, client: Client, key: dict[str, Any], settings: Settings
    ) -> None:
        settings.NEW_NAMES_AN_HOUR = 0

        answer = self.post(client, key, *(usage_event(account=f"acct_{number}") for number in range(5)))

        assert (answer.status_code, Account.objects.count()) == (202, 5)
        assert not NewNameCount.objects.exists()

    @staticmethod
    def post(client: Client, key: dict[str, Any], *events: dict[str, Any], at: Any = NOW) -> Any:
        with time_machine.travel(at, tick=False):
            body = json.dumps({"events": events})
            return client.post("/api/v1/usage-events", body, content_type="application/json", **key)

    @staticmethod
    def newcomers(count: int, **members: Any) -> list[dict[str, Any]]:
        return [usage_event(id=f"req_{n}", account=f"acct_new_{n}", **members) for n in range(count)]

    def test_beyond_those_of_an_hour_wait_and_their_neighbours_do_not(
        self, client: Client, key: dict[str, Any]
    ) -> None:
        account("acct_harbour")
        batch = [*self.newcomers(5), usage_event(id="neighbour", account="acct_harbour")]

        answer = self.post(client, key, *batch)

        assert (answer.status_code, answer["Retry-After"]) == (429, "300")
        assert answer["Content-Type"] == "application/problem+json"
        said = answer.json()
        assert (said["title"], said["accepted"], said["held"]) == ("Too many new names", 4, 2)
        assert UsageEvent.objects.filter(event_id="neighbour").exists()
        assert Account.objects.filter(external_id__startswith="acct_new").count() == 3

    def test_are_taken_when_the_batch_is_sent_again_an_hour_later(self, client: Client, key: dict[str, Any]) -> None:
        batch = self.newcomers(5)
        self.post(client, key, *batch)
        soon = self.post(client, key, *batch)

        later = self.post(client, key, *batch, at=NOW.replace(hour=NOW.hour + 1))

        assert soon.status_code == 429
        assert (later.status_code, later.json()["accepted"], later.json()["duplicate"]) == (202, 2, 3)

    def test_are_taken_when_the_register_has_named_them(
        self, client: Client, key: dict[str, Any], tmp_path: Path
    ) -> None:
        batch = self.newcomers(5)
        self.post(client, key, *batch)
        for one in batch:
            Account.objects.get_or_create(external_id=one["account"], defaults={"first_seen_at": NOW})

        assert self.post(client, key, *batch).status_code == 202

    @pytest.mark.parametrize(
        ("members", "taken"),
        [({"api_key": "key_{}"}, 3), ({"organisation": "org_{}"}, 1)],
        ids=["keys of one account", "organisations and accounts"],
    )
    def test_are_keys_and_organisations_too(
        self, client: Client, key: dict[str, Any], members: dict[str, str], taken: int
    ) -> None:
        account("acct_new_0")
        batch = [
            event | {name: value.format(n) for name, value in members.items()}
            for n, event in enumerate(self.newcomers(5))
        ]
        if "api_key" in members:
            batch = [event | {"account": "acct_new_0"} for event in batch]

        answer = self.post(client, key, *batch)

        assert answer.status_code == 429
        assert ApiKey.objects.count() + Organisation.objects.count() <= 3
        assert answer.json()["accepted"] >= taken

    def test_of_one_key_leave_room_for_those_of_another(self, client: Client, key: dict[str, Any]) -> None:
        self.post(client, key, *self.newcomers(5))

        answer = self.post(client, service_key("usage:write")[1], usage_event(account="acct_honest"))

        assert answer.status_code == 202

    def test_of_batches_at_once_are_no_more_than_those_of_an_hour(
        self, transactional_db: None, key: dict[str, Any]
    ) -> None:
        def sends(sender: int) -> int:
            events = [usage_event(account=f"acct_{sender}_{number}") for number in range(2)]
            try:
                return int(self.post(Client(), key, *events).status_code)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as senders, time_machine.travel(NOW, tick=False):
            answers = [*senders.map(sends, range(4))]

        assert sorted(answers) == [202, 429, 429, 429]
        assert Account.objects.count() == NewNameCount.objects.get().names == 3

    def test_make_litellm_come_again(self, client: Client, key: dict[str, Any]) -> None:
        payloads = [payload(metadata={"user_api_key_team_id": f"team_{n}"}) for n in range(5)]
        with time_machine.travel(NOW, tick=False):
            answer = client.post(
                "/api/v1/sources/litellm", json.dumps(payloads), content_type="application/json", **key
            )

        assert answer.status_code == 503  # it drops what is answered with 429
        assert UsageEvent.objects.count() == 1  # its account, its organisation and its key

    def test_in_a_blocked_organisation_are_told_without_the_names_it_had(
        self, client: Client, key: dict[str, Any]
    ) -> None:
        for number in range(250):
            account(f"acct_{number}", organisation="org_quay")
        restriction(Organisation.objects.get())

        self.post(client, key, usage_event(account="acct_new", organisation="org_quay"))
        cover_new_names(now=NOW)

        payloads: Any = Change.objects.latest("number").payload
        assert payloads["names_added"]["account"] == ["acct_new"]
        assert len(json.dumps(payloads)) < 1_000


@pytest.mark.django_db(transaction=True)
class TestNewNamesOfBatchesThatFail:
    def test_are_not_counted(self, client: Client, settings: Settings) -> None:
        settings.NEW_NAMES_AN_HOUR = 3
        key = service_key("usage:write")[1]
        client.raise_request_exception = False
        now = timezone.now()
        events = [usage_event(account=f"acct_{number}", occurred_at=now.isoformat()) for number in range(3)]
        create_partitions([now.date()])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '10ms'")
        try:
            with connected_as(RUN) as other:
                other.execute("LOCK TABLE usage_profiledelta IN SHARE MODE")
                failed = [TestNewNames.post(client, key, *events, at=now).status_code for _ in range(3)]
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")

        answer = TestNewNames.post(client, key, *events, at=now)

        assert failed == [503, 503, 503]
        assert (answer.status_code, answer.json()["accepted"]) == (202, 3)
        assert NewNameCount.objects.get().names == 3
