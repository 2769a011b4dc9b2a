"""Who sends a body slowly holds no thread of the web server, and is refused in the end; a long one may take longer."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils import timezone

from governance.staff.service_keys import issue_service_key
from tests.factories import MACHINE, PASSWORD, account, person, restriction
from tests.flows.web_server import running_check, running_web_server
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = 64
SECONDS = "4"
EVENTS = "/api/v1/usage-events"
EMPTY = b'{"events": []}'


@pytest.fixture(scope="module")
def impatient(django_db_setup: None) -> Iterator[int]:
    """The port of a web server that waits some seconds for a body, with fewer threads than bodies of a key at once."""
    with running_web_server(threads=4, BODIES_OF_A_KEY=str(SLOW), BODY_SECONDS=SECONDS) as port:
        yield port


def issued_key(name: str, scope: str = "usage:write") -> str:
    return issue_service_key(name=name, scopes=[scope], by=MACHINE, now=timezone.now())[1]


def head(path: str, length: int | None, secret: str = "", **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines.append("Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}")
    if secret:
        lines += [f"Authorization: Bearer {secret}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def begun(port: int, sent: bytes) -> socket.socket:
    caller = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    caller.sendall(sent)
    return caller


@contextmanager
def many_begun(port: int, sent: list[bytes]) -> Iterator[list[socket.socket]]:
    callers = [begun(port, one) for one in sent]
    try:
        yield callers
    finally:
        for caller in callers:
            caller.close()


def asked(port: int, method: str, path: str, secret: str = "", body: bytes | None = None) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as caller:
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"} if secret else {}
        caller.request(method, path, body, headers)
        answer = caller.getresponse()
        answer.read()
        return answer.status


def sign_in(port: int, email: str) -> int:
    token = "t" * 32
    form = urlencode({"csrfmiddlewaretoken": token, "username": email, "password": PASSWORD})
    headers = {"Cookie": f"csrftoken={token}", "Content-Type": "application/x-www-form-urlencoded"}
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as caller:
        caller.request("POST", "/sign-in/", form, headers)
        return caller.getresponse().status


def whole_answer(caller: socket.socket) -> bytes:
    """Everything that comes until the connection is closed."""
    said = b""
    while piece := caller.recv(4096):
        said += piece
    return said


def test_others_are_answered_meanwhile_and_slow_ones_refused_in_the_end(impatient: int) -> None:
    slow, other = issued_key("slow"), issued_key("other")
    reviewer = person()
    reviewer.password = Argon2PasswordHasher().encode(PASSWORD, "as the product does")
    reviewer.save()
    form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={'a' * 32}"}
    ways = [head(EVENTS, 9, slow) + b"{", head(EVENTS, None, slow) + b"1\r\n{\r\n"]
    ways += [head("/sign-in/", 9, **form) + b"a", head("/sign-in/", 9, **form)]
    with many_begun(impatient, [ways[number // (SLOW // 2)] for number in range(2 * SLOW)]) as callers:
        page, taken = asked(impatient, "GET", "/health/"), asked(impatient, "POST", EVENTS, other, EMPTY)
        signed_in = sign_in(impatient, reviewer.email)
        answers = [whole_answer(caller) for caller in callers]

    assert (page, taken, signed_in) == (200, 202, 302)
    assert {answer.split()[1] for answer in answers} == {b"408"}
    assert all(b"retry-after: 1" in answer.lower() for answer in answers)


def test_a_byte_now_and_then_is_no_reason_to_wait_longer(impatient: int) -> None:
    slow = issued_key("slow")
    with closing(begun(impatient, head(EVENTS, 10_000, slow))) as caller:
        caller.settimeout(0.2)
        said = b""
        until = time.monotonic() + PATIENCE
        while not said and time.monotonic() < until:
            caller.sendall(b" ")
            try:
                said = caller.recv(4096)
            except TimeoutError:
                continue

    assert said.split()[1] == b"408"


def test_a_long_body_may_take_longer_as_long_as_it_comes(impatient: int) -> None:
    secret, pieces = issued_key("far away"), 12
    piece = b" " * 100_000
    with closing(begun(impatient, head(EVENTS, pieces * len(piece) + len(EMPTY), secret) + piece)) as caller:
        for _ in range(pieces - 1):
            time.sleep(0.5)
            caller.sendall(piece)
        caller.sendall(EMPTY)
        said = caller.recv(4096)

    assert said.split()[1] == b"202", said


def test_a_place_is_free_once_its_sender_has_gone() -> None:
    secret = issued_key("cut off")
    with running_web_server(BODIES_OF_A_KEY="1", BODY_SECONDS="600") as web:
        begun(web, head(EVENTS, 9, secret) + b"{").close()

        wait_until(lambda: asked(web, "POST", EVENTS, secret, EMPTY) == 202, "the place is free")


def test_a_body_is_asked_for_only_from_those_who_may_send_it(web_server: int) -> None:
    said = {}
    for name, secret in (("unknown", "swk_unknown"), ("known", issued_key("polite"))):
        with closing(begun(web_server, head(EVENTS, len(EMPTY), secret, Expect="100-continue"))) as caller:
            said[name] = caller.recv(4096)
            if name == "known":
                caller.sendall(EMPTY)
                said["after"] = caller.recv(4096)

    assert said["unknown"].split()[1] == b"401"
    assert said["known"].split()[1] == b"100"
    assert said["after"].split()[1] == b"202"


def test_a_reader_of_a_stream_who_has_gone_holds_no_thread() -> None:
    secret = issued_key("edge", "access:read")
    restriction(account("acct_mole"), at=timezone.now())
    asks = f"GET /api/v1/access/changes?after=0 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\n"
    with running_check() as check, running_web_server(threads=1, CHECK_URL=f"http://127.0.0.1:{check}") as web:
        for _ in range(2):
            with closing(begun(web, f"{asks}Accept: text/event-stream\r\n\r\n".encode())) as reader:
                said = b""
                while b"acct_mole" not in said:
                    piece = reader.recv(4096)
                    assert piece, said
                    said += piece

        assert asked(web, "GET", "/health/") == 200


def test_a_header_that_a_proxy_sets_cannot_be_set_by_writing_it_otherwise() -> None:
    host = "stillwatch.example.com"
    with (
        running_web_server(STILLWATCH_URL=f"https://{host}", BEHIND_PROXY="true") as web,
        closing(HTTPConnection("127.0.0.1", web, timeout=PATIENCE)) as caller,
    ):
        caller.request("GET", "/api/v1/restrictions", headers={"Host": host, "X_Forwarded_Proto": "https"})
        answer = caller.getresponse()
        said = json.loads(answer.read())

    assert answer.status == 403
    assert "over plain HTTP" in said["detail"]
