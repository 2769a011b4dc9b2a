"""A service key asks so often in a minute, over all processes; and nothing is refused because nobody could count."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from time_machine import TimeMachineFixture

from governance.bench.serving import web_server
from governance.staff.models import AttemptCount
from governance.web.rate_limits import PERIOD
from tests.factories import NOW, account, service_key
from tests.restrictions.api_calls import BLOCK
from tests.waiting import PATIENCE

LISTED, ALL = "/api/v1/restrictions", ("restrictions:read", "restrictions:write", "access:read", "usage:write")


@pytest.fixture
def known() -> dict[str, Any]:
    return service_key(*ALL)[1]


@pytest.mark.django_db
class TestALimit:
    @pytest.fixture(autouse=True)
    def _two_a_minute(self, settings: Any, time_machine: TimeMachineFixture) -> None:
        settings.READS_A_MINUTE = settings.WRITES_A_MINUTE = 2
        time_machine.move_to(NOW, tick=False)

    def test_refuses_what_is_beyond_it_and_says_when_to_come_again(self, client: Client, known: dict[str, Any]) -> None:
        answers = [client.get(LISTED, **known) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2]["Content-Type"] == "application/problem+json"
        assert answers[2].json()["type"].endswith("/problems/#too-many-requests")
        assert 1 <= int(answers[2]["Retry-After"]) <= PERIOD.seconds

    def test_is_said_with_every_answer(self, client: Client, known: dict[str, Any]) -> None:
        answers = [client.get(LISTED, **known) for _ in range(3)]

        assert {answer["RateLimit-Policy"] for answer in answers} == {'"reading";q=2;w=60'}
        assert [answer["RateLimit"].partition(";t=")[0] for answer in answers] == [
            f'"reading";r={left}' for left in (1, 0, 0)
        ]

    def test_begins_again_with_the_next_minute(
        self, client: Client, known: dict[str, Any], time_machine: TimeMachineFixture
    ) -> None:
        for _ in range(3):
            client.get(LISTED, **known)

        time_machine.move_to(NOW + PERIOD, tick=False)

        assert client.get(LISTED, **known).status_code == 200

    def test_is_that_of_one_key(self, client: Client, known: dict[str, Any]) -> None:
        for _ in range(3):
            client.get(LISTED, **known)

        assert client.get(LISTED, **service_key(*ALL)[1]).status_code == 200

    def test_of_reading_keeps_nobody_from_restricting(self, client: Client, known: dict[str, Any]) -> None:
        account("acct_harbour")
        for _ in range(3):
            client.get(LISTED, **known)

        answer = client.post(LISTED, BLOCK, content_type="application/json", **known)

        assert (answer.status_code, answer["RateLimit-Policy"]) == (201, '"acting";q=2;w=60')

    def test_is_none_for_intake_and_for_whether_somebody_has_access(
        self, client: Client, known: dict[str, Any]
    ) -> None:
        for _ in range(4):
            assert client.get("/api/v1/access/check?account=a", **known).status_code == 200
            sent = client.post("/api/v1/usage-events", {"events": []}, content_type="application/json", **known)
            assert sent.status_code == 202

    def test_of_nought_is_none(self, client: Client, known: dict[str, Any], settings: Any) -> None:
        settings.READS_A_MINUTE = 0

        answer = client.get(LISTED, **known)

        assert "RateLimit-Policy" not in answer
        assert not AttemptCount.objects.exists()


@pytest.fixture
def locked_counts(transactional_db: None) -> Iterator[None]:
    """Another process holds what is counted in, and nobody waits long for it."""
    other = connections.create_connection("default")
    other.set_autocommit(False)
    with other.cursor() as cursor, connection.cursor() as ours:
        cursor.execute("LOCK TABLE staff_attemptcount IN EXCLUSIVE MODE")
        ours.execute("SET lock_timeout = '200ms'")
    yield
    other.rollback()
    other.close()
    with connection.cursor() as ours:
        ours.execute("RESET lock_timeout")


@pytest.mark.usefixtures("locked_counts")
class TestWhereNobodyCanCount:
    @pytest.fixture(autouse=True)
    def _two_a_minute(self, settings: Any) -> None:
        settings.READS_A_MINUTE = settings.WRITES_A_MINUTE = 2

    def test_reading_goes_on_and_the_answer_does_not_say_what_is_left(self, client: Client) -> None:
        _, known = service_key(*ALL)

        answer = client.get(LISTED, **known)

        assert (answer.status_code, answer["RateLimit-Policy"]) == (200, '"reading";q=2;w=60')
        assert "RateLimit" not in answer

    def test_restricting_goes_on(self, client: Client) -> None:
        account("acct_harbour")
        _, known = service_key(*ALL)

        assert client.post(LISTED, BLOCK, content_type="application/json", **known).status_code == 201


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_several_processes_keep_to_one_limit() -> None:
    secret = service_key(*ALL)[1]["HTTP_AUTHORIZATION"]
    with web_server(workers=2, threads=8, READS_A_MINUTE="25") as (port, _):

        def ask(_number: int) -> int:
            with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as caller:
                caller.request("GET", LISTED, headers={"Authorization": secret})
                return caller.getresponse().status

        with ThreadPoolExecutor(16) as callers:
            statuses = list(callers.map(ask, range(80)))

    counts = sorted(AttemptCount.objects.filter(kind=AttemptCount.Kind.API_READING).values_list("count", flat=True))
    assert sum(counts) == 80
    assert statuses.count(200) == sum(min(count, 25) for count in counts)
    assert set(statuses) == {200, 429}
