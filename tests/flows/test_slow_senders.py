"""Senders that are slow keep no other request from being answered."""

import json
import select
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest
from django.utils import timezone

from governance.staff.service_keys import issue_service_key
from tests.factories import MACHINE, account, restriction
from tests.flows.web_server import running_check, running_server, running_web_server
from tests.servers import free_port
from tests.waiting import PATIENCE, wait_until

SOCKETS = 300
ASKED = 50

WITHOUT_A_KEY = "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Length: 2000\r\n\r\n{{"
HALF_A_HEAD = "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
CHECK_PATHS = ["/access/check", "/beta/litellm_basic_guardrail_api", "/api/v1/access/changes"]


@contextmanager
def slow_senders(port: int, head: str, paths: list[str], headers: str = "") -> Iterator[list[socket.socket]]:
    """Open connections that have sent the beginning of a request, and send no more."""
    callers = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(SOCKETS)]
    try:
        for place, caller in enumerate(callers):
            caller.sendall(head.format(path=paths[place % len(paths)], headers=headers).encode())
        yield callers
    finally:
        for caller in callers:
            caller.close()


def get(port: int, path: str, secret: str = "") -> tuple[int, bytes]:
    caller = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        caller.request("GET", path, headers={"Authorization": f"Bearer {secret}"} if secret else {})
        answer = caller.getresponse()
        return answer.status, answer.read()
    finally:
        caller.close()


@pytest.fixture
def secret(transactional_db: None) -> str:
    restriction(account("acct_mole"), at=timezone.now())
    return issue_service_key(name="edge", scopes=["access:read"], by=MACHINE, now=timezone.now())[1]


def decisions(port: int, secret: str) -> set[str]:
    answers = [get(port, "/access/check?account=acct_mole", secret) for _ in range(ASKED)]
    return {json.loads(body)["decision"] if status == 200 else str(status) for status, body in answers}


def test_the_check_answers_all_the_same(secret: str) -> None:
    shown = f"Authorization: Bearer {secret}\r\nX-Api-Key: {secret}\r\n"
    answers: dict[str, set[str]] = {}

    with running_check() as port:
        for name, head, headers in [
            ("bodies without a service key", WITHOUT_A_KEY, ""),
            ("heads", HALF_A_HEAD, ""),
            ("bodies with a service key", WITHOUT_A_KEY, shown),
        ]:
            with slow_senders(port, head, CHECK_PATHS, headers):
                answers[name] = decisions(port, secret)

    assert all(given == {"deny"} for given in answers.values()), answers


@pytest.mark.long
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/v1/usage-events", ""),
        ("/api/v1/usage-events", "Authorization: Bearer swk_wrong\r\n"),
        ("/api/v1/restrictions", ""),
        ("/v1/traces", ""),
        ("/sign-in/", f"Cookie: csrftoken={'a' * 32}\r\n"),
        ("/access/check", ""),
    ],
)
def test_the_pages_and_the_check_answer_though_they_fill_the_web_server(secret: str, path: str, headers: str) -> None:
    with (
        running_check() as check,
        running_web_server(threads=128, CHECK_URL=f"http://127.0.0.1:{check}") as web,
        slow_senders(web, WITHOUT_A_KEY, [path], headers),
    ):
        pages = {get(web, "/health/")[0] for _ in range(ASKED)}

        assert pages == {200}
        assert decisions(check, secret) == {"deny"}


@pytest.fixture(scope="module")
def two_at_once(django_db_setup: None) -> Iterator[int]:
    """The port of a web server that reads two bodies of a service key at the same time."""
    with running_web_server(BODIES_OF_A_KEY="2") as port:
        yield port


@pytest.mark.parametrize("path", ["/api/v1/usage-events", "/api/v1/sources/litellm", "/api/v1/restrictions"])
@pytest.mark.parametrize("length", ["Content-Length: 2000", "Transfer-Encoding: chunked"], ids=["length", "chunks"])
def test_one_service_key_keeps_nobody_from_being_answered(
    two_at_once: int, transactional_db: None, path: str, length: str
) -> None:
    now = timezone.now()
    scopes = ["usage:write", "restrictions:write"]
    _, secret = issue_service_key(name="greedy", scopes=scopes, by=MACHINE, now=now)
    _, other = issue_service_key(name="other", scopes=scopes, by=MACHINE, now=now)
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{length}\r\nAuthorization: Bearer "
    callers = []
    for _ in range(10):
        callers.append(socket.create_connection(("127.0.0.1", two_at_once), timeout=PATIENCE))
        callers[-1].sendall(f"{head}{secret}\r\n\r\n".encode())
    refused, _, _ = select.select(callers, [], [], PATIENCE)
    answer = refused[0].recv(4096).decode()

    assert get(two_at_once, "/health/")[0] == 200
    assert get(two_at_once, "/api/v1/restrictions", other)[0] == 403  # it was looked at: that scope it has not
    for caller in callers:
        caller.close()

    assert answer.split()[1] == ("503" if path.endswith("litellm") else "429")
    assert "application/problem+json" in answer
    assert "Retry-After: 1" in answer or "retry-after: 1" in answer


def test_a_place_of_a_service_key_is_free_once_its_body_was_received(two_at_once: int, transactional_db: None) -> None:
    _, secret = issue_service_key(name="busy", scopes=["usage:write"], by=MACHINE, now=timezone.now())
    statuses = []
    for _ in range(5):
        caller = HTTPConnection("127.0.0.1", two_at_once, timeout=PATIENCE)
        head = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        caller.request("POST", "/api/v1/usage-events", '{"events": []}', head)
        statuses.append(caller.getresponse().status)
        caller.close()

    assert statuses == [202] * 5


def test_a_body_without_a_service_key_is_refused_before_it_is_read(web_server: int) -> None:
    answers = {}
    for path in ("/api/v1/usage-events", "/api/v1/restrictions", "/v1/traces"):
        for length in ("Content-Length: 2000", "Transfer-Encoding: chunked"):
            with socket.create_connection(("127.0.0.1", web_server), timeout=PATIENCE) as caller:
                caller.sendall(f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}\r\n\r\n".encode())
                answers[path, length] = caller.recv(4096).split()[1]

    assert set(answers.values()) == {b"401"}, answers


def test_what_gateways_ask_at_the_address_of_the_pages_is_handed_on(secret: str) -> None:
    with running_check() as check, running_web_server(CHECK_URL=f"http://127.0.0.1:{check}") as web:
        wait_until(lambda: get(web, "/health/")[0] == 200, "the web server answers")

        assert decisions(web, secret) == {"deny"}
        assert get(web, "/access/check?account=a")[0] == 401
        assert json.loads(get(web, "/api/v1/access/changes?after=1&wait=0", secret)[1])["sequence"] == 1
        assert get(web, "/access/envoy/v1/models")[0] == 401


@pytest.mark.django_db(transaction=True)
def test_the_command_serves_the_check() -> None:
    port = free_port()
    command = [sys.executable, "manage.py", "serve_check", "--port", str(port), "--workers", "1"]
    with running_server(command, port):
        assert get(port, "/health/")[0] == 200


@pytest.mark.long
def test_the_head_of_a_request_has_a_deadline(secret: str) -> None:
    """Ten seconds, after which the connection is closed."""
    with running_check() as port, socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as caller:
        caller.sendall(b"GET /access/check HTTP/1.1\r\nHost: a\r\n")

        while caller.recv(4096):
            pass
