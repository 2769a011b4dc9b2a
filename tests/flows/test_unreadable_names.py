"""A customer whose name cannot be read is let in by no gateway: as bytes, to the real web server."""

import hashlib
import json
import socket
from typing import NamedTuple

import pytest
from django.utils import timezone

from governance.staff.service_keys import issue_service_key
from tests.factories import MACHINE, account, api_key, restriction
from tests.flows.web_server import running_check
from tests.waiting import PATIENCE, wait_until

UTF_8, LATIN_1, ENCODED = "acct_ü".encode(), "acct_ü".encode("latin-1"), b"acct_%C3%BC"
BAD_KEY = b"sk-harvester"


class Answered(NamedTuple):
    status: int
    body: bytes

    @property
    def allows(self) -> bool:
        return self.status == 204 or (
            self.status == 200 and (not self.body or b'"allow"' in self.body or b"NONE" in self.body)
        )


class Server:
    def __init__(self, port: int, secret: str) -> None:
        self.port, self.secret = port, secret.encode()

    def ask(self, target: bytes, *headers: bytes) -> Answered:
        key = b"X-Stillwatch-Key: " + self.secret
        head = [b"GET " + target + b" HTTP/1.1", b"Host: x", b"Connection: close", key, *headers, b"", b""]
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as line:
            line.sendall(b"\r\n".join(head))
            answer = b"".join(iter(lambda: line.recv(2**16), b""))
        start, _, body = answer.partition(b"\r\n\r\n")
        return Answered(int(start.split()[1]), body)

    def nginx(self, *headers: bytes) -> int:
        return self.ask(b"/access/nginx", *headers).status

    def envoy(self, *headers: bytes) -> int:
        return self.ask(b"/access/envoy/v1/chat", *headers).status


@pytest.mark.django_db(transaction=True)
def test_no_spelling_of_a_blocked_customer_is_let_in() -> None:
    blocked = account("acct_ü")
    key = api_key(blocked, "key_1")
    key.digest = hashlib.sha256(BAD_KEY).digest()
    key.save()
    restriction(blocked, at=timezone.now())
    secret = issue_service_key(name="edge", scopes=["access:read"], by=MACHINE, now=timezone.now())[1]
    name, good = b"X-Stillwatch-Account: ", b"X-Stillwatch-Account: acct_good"
    bearer = b"Authorization: Bearer " + BAD_KEY

    with running_check() as port:
        server = Server(port, secret)
        wait_until(lambda: server.nginx(name + ENCODED) == 403, "the block is in force")
        known = [json.loads(server.ask(b"/access/check?account=" + one).body)["known"] for one in (ENCODED, b"acct_x")]

        refused = {
            "utf-8": server.nginx(name + UTF_8),
            "latin-1": server.nginx(name + LATIN_1),
            "before another": server.nginx(name + UTF_8, good),
            "after another": server.nginx(good, name + UTF_8),
            "joined": server.nginx(good + b", " + UTF_8),
            "encoded after another": server.nginx(good, name + ENCODED),
            "encoded, joined": server.nginx(name + ENCODED + b",acct_good"),
            "blank": server.nginx(b"X-Stillwatch-Account:"),
            "key not ASCII": server.nginx("Authorization: Bearer sk-ü".encode()),
            "key, then one that is not ASCII": server.nginx(bearer, "Authorization: Bearer sk-ü".encode()),
            "one that is not ASCII, then the key": server.nginx("Authorization: Bearer sk-ü".encode(), bearer),
            "key and another not ASCII": server.nginx(bearer, b"X-Api-Key: \xff"),
        }
        envoy = {
            "utf-8": server.envoy(name + UTF_8),
            "joined": server.envoy(good + b", " + UTF_8),
            "key": server.envoy(bearer, b"X-Api-Key: \xff"),
            "key not ASCII": server.envoy(b"X-Api-Key: \xff"),
        }
        queries = [
            server.ask(b"/access/check?account=" + value)
            for value in (UTF_8, LATIN_1, b"acct_good&account=" + ENCODED, ENCODED + b"&account=acct_good", b"%ff")
        ]
        others = server.nginx(good), server.envoy(good), server.ask(b"/access/check?account=acct_good").allows

    assert set(refused.values()) == {403}, refused
    assert envoy == {"utf-8": 400, "joined": 400, "key": 403, "key not ASCII": 400}
    assert [answer.allows for answer in queries] == [False] * 5, queries
    assert others == (204, 200, True)
    assert known == [True, False]
