"""One service key cannot stop the others from being answered, and counts for no longer than it is usable."""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest
from django.utils import timezone

from governance.gateways.check.protocols.litellm import LONGEST_BODY as LARGEST
from governance.gateways.check.quotas import LARGEST_SMALL_BODY
from governance.gateways.models import GatewayInstance
from governance.staff.models import ServiceKey
from governance.staff.service_keys import issue_service_key, revoke_service_key
from stillwatch_gateway import Gateway
from tests.factories import MACHINE, account, restriction
from tests.front import Served, served
from tests.waiting import PATIENCE, wait_until

GUARDRAIL = "/beta/litellm_basic_guardrail_api"
CHANGES = "/api/v1/access/changes"
GREEDY = 300
MAY_WAIT = 20


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    with served(waiting=MAY_WAIT) as one:
        yield one


def key(name: str, **terms: Any) -> tuple[ServiceKey, str]:
    return issue_service_key(name=name, scopes=["access:read"], by=MACHINE, now=timezone.now(), **terms)


async def _status(port: int, head: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode())
    await writer.drain()
    line = await reader.readline()
    writer.close()
    return int(line.split()[1])


def statuses(front: Served, path: str, secret: str, *, connections: int = GREEDY, accept: str = "*/*") -> Counter[int]:
    """How often each status is answered to as many requests at once."""
    head = f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\nAccept: {accept}\r\n\r\n"

    async def ask() -> list[int]:
        return await asyncio.gather(*(_status(front.port, head) for _ in range(connections)))

    return Counter(asyncio.run(ask()))


class Streams:
    """Event streams of one service key that stay open."""

    def __init__(self, front: Served, secret: str, count: int) -> None:
        headers = {"Authorization": f"Bearer {secret}", "Accept": "text/event-stream"}
        self._callers = [HTTPConnection("127.0.0.1", front.port, timeout=PATIENCE) for _ in range(count)]
        self.answers: list[HTTPResponse] = []
        for caller in self._callers:
            caller.request("GET", f"{CHANGES}?after=0", headers=headers)
            self.answers.append(caller.getresponse())

    def close(self) -> None:
        for answer in self.answers:
            answer.close()
        for caller in self._callers:
            caller.close()


class TestANumberAheadOfTheWorld:
    def test_is_answered_at_once_on_many_connections(self, front: Served) -> None:
        """Requests over the quota get a 429; none waits for what nothing will bring."""
        asked = statuses(front, "/access/check?account=a&min_sequence=999999999", front.secret)
        followed = statuses(front, f"{CHANGES}?after=999999999", front.secret)

        assert set(asked) <= {503, 429}
        assert set(followed) <= {410, 429}
        assert sum(asked.values()) == sum(followed.values()) == GREEDY


class TestAGreedyKey:
    def test_is_told_to_come_again_over_its_quota(self, front: Served) -> None:
        streams = Streams(front, front.secret, MAY_WAIT)

        said = front.ask(f"{CHANGES}?after=0&wait=0")
        other = front.ask(f"{CHANGES}?after=0&wait=0", key=key("other")[1])
        streams.close()

        assert [answer.status for answer in streams.answers] == [200] * MAY_WAIT
        assert (said.status, said.headers["content-type"]) == (429, "application/problem+json")
        assert said.headers["retry-after"] == "1"
        assert other.status == 200

    def test_gets_its_quota_back_when_its_readers_go(self, front: Served) -> None:
        Streams(front, front.secret, MAY_WAIT).close()

        wait_until(lambda: front.ask(f"{CHANGES}?after=0&wait=0").status == 200, "the quota is free again")

    def test_keeps_no_new_client_of_another_gateway_from_learning_of_a_block(
        self, front: Served, tmp_path: Any
    ) -> None:
        _, greedy = key("greedy")
        streams = Streams(front, greedy, GREEDY)
        statuses(front, "/access/check?account=a&min_sequence=999999999", greedy)
        restriction(account("acct_mole"), at=timezone.now())

        gateway = Gateway(front.url, front.secret, tmp_path / "kept", instance="a")
        try:
            assert gateway.start(PATIENCE)
            wait_until(lambda: not gateway.decide(account="acct_mole").allowed, "the client refuses")
        finally:
            gateway.close()
            streams.close()

    def test_may_have_bodies_of_so_many_bytes_in_flight(self, front: Served) -> None:
        front.front.quotas.small_bodies.most = 1_000

        refused = front.ask(GUARDRAIL, method="POST", text=json.dumps({"texts": ["a" * 2_000]}), x_api_key=front.secret)
        report = front.ask(CHANGES, method="POST", body={"after": 0, "wait": 0, "instance": "a" * 2_000})
        small = front.ask("/access/check", method="POST", body={"account": "a"})

        assert refused.status == 503
        assert report.status == 429
        assert small.status == 200


def prompt(size: int) -> bytes:
    return b'{"texts": ["' + b"a" * (size - 15) + b'"]}'


@contextmanager
def large_prompts(front: Served, count: int, *, length: bool = True) -> Iterator[list[socket.socket]]:
    """Prompts of the greatest size of which only the beginning has been sent."""
    callers = [socket.create_connection(("127.0.0.1", front.port), timeout=PATIENCE) for _ in range(count)]
    stated = f"Content-Length: {LARGEST}" if length else "Transfer-Encoding: chunked"
    head = f"POST {GUARDRAIL} HTTP/1.1\r\nHost: a\r\nX-Api-Key: {front.secret}\r\n{stated}\r\n\r\n".encode()
    try:
        for caller in callers:
            caller.sendall(head)
            if not length:
                piece = prompt(LARGEST_SMALL_BODY + 15)
                caller.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        taken = front.front.quotas.large_bodies.taken
        wait_until(lambda: taken.total() == LARGEST * min(count, 4), "the prompts are being received")
        yield callers
    finally:
        for caller in callers:
            caller.close()


class TestLargePromptsOfSomeCustomers:
    """LiteLLM asks with one service key about all of them."""

    @pytest.mark.parametrize("length", [True, False], ids=["length", "chunks"])
    def test_keep_no_other_customer_from_being_answered(self, front: Served, length: bool) -> None:  # noqa: FBT001
        with large_prompts(front, 5, length=length):
            said = front.ask(GUARDRAIL, method="POST", body={"texts": ["Hello"]}, x_api_key=front.secret)

        assert said.json == {"action": "NONE"}

    def test_wait_for_their_turn(self, front: Served) -> None:
        with large_prompts(front, 4) as callers, ThreadPoolExecutor() as pool:
            text = prompt(2 * 2**20).decode()
            next_one = pool.submit(front.ask, GUARDRAIL, method="POST", text=text, x_api_key=front.secret)
            waiting = front.front.quotas._waiting
            wait_until(lambda: waiting.total() == 1, "it waits")
            callers[0].close()

            assert next_one.result().json == {"action": "NONE"}
        wait_until(lambda: not front.front.quotas.large_bodies.taken, "all is free again")

    def test_are_answered_as_during_an_outage_where_no_turn_comes(
        self, front: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("governance.gateways.check.quotas.TURN_SECONDS", 0.1)

        with large_prompts(front, 4):
            text = prompt(2 * 2**20).decode()
            said = front.ask(GUARDRAIL, method="POST", text=text, x_api_key=front.secret)

        assert (said.status, said.headers["retry-after"]) == (503, "1")

    def test_are_refused_where_they_cannot_be_read(self, front: Served) -> None:
        said = front.ask(GUARDRAIL, method="POST", text=prompt(2 * 2**20).decode()[:-1], x_api_key=front.secret)

        assert said.json["action"] == "BLOCKED"


def rest_of(stream: HTTPResponse) -> bytes:
    """What a stream says until it ends, which it has to before it has said a hundred times that nothing is new."""
    most = 100 * len(b": nothing new\n\n")
    rest = stream.read(most)
    assert len(rest) < most, "the stream goes on"
    return rest


class TestAKeyWithANewInstanceEachTime:
    def test_fills_the_memory_of_the_check_with_no_more_than_the_newest(
        self, front: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("governance.gateways.check.telemetry.INSTANCES_KEPT", 10)

        def report(instance: str) -> None:
            body = {"after": 0, "instance": instance, "wait": 0, "faults": 1, "store_problem": f"{instance} is full"}
            assert front.ask(CHANGES, method="POST", body=body).status == 200

        for number in range(50):
            report("always the same")
            report(f"instance {number}")

        telemetry = front.front.telemetry
        assert [len(instances) for instances in telemetry._reported.values()] == [10]
        assert len(telemetry._instances) <= 10
        assert caplog.text.count("always the same is full") == 1
        telemetry.flush()
        assert GatewayInstance.objects.filter(instance__in=["always the same", "instance 49"]).count() == 2


class TestAKeyThatIsUsableNoMore:
    def test_ends_open_streams_and_waiting_polls_when_it_is_revoked(self, front: Served) -> None:
        revoked, secret = key("leaked")
        streams = Streams(front, secret, 2)
        poll = HTTPConnection("127.0.0.1", front.port, timeout=PATIENCE)
        poll.request("GET", f"{CHANGES}?after=0&wait=25", headers={"Authorization": f"Bearer {secret}"})

        revoke_service_key(revoked, by=MACHINE, now=timezone.now())
        rest = [rest_of(answer) for answer in streams.answers]
        status = poll.getresponse().status
        poll.close()
        streams.close()

        assert status == 401
        assert all(b"event: changes" not in events for events in rest)
        assert front.ask(f"{CHANGES}?after=0&wait=0", key=secret).status == 401

    def test_ends_them_when_it_expires(self, transactional_db: None) -> None:
        now = timezone.now()
        later = [timedelta()]

        def clock() -> datetime:
            return now + later[0]

        with served(clock=clock) as front:
            _, secret = key("temporary", expires_at=now + timedelta(hours=1))
            streams = Streams(front, secret, 1)
            later[0] = timedelta(hours=2)

            [rest] = [rest_of(answer) for answer in streams.answers]
            streams.close()

        assert b"event: changes" not in rest
