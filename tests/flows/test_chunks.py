"""Bodies sent without saying how long they are, to the real web server: every view reads them whole."""

import gzip
import json
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

from governance.restrictions.models import Restriction
from governance.usage.request_body import MAX_BYTES_INFLATED
from tests.factories import PASSWORD, account, line, person, service_key
from tests.waiting import PATIENCE

WRITES = "restrictions:write"


@pytest.fixture
def caller(web_server: int) -> Iterator[HTTPConnection]:
    """A connection to the web server."""
    with closing(HTTPConnection("127.0.0.1", web_server, timeout=PATIENCE)) as connection:
        yield connection


def authorized(scope: str, **headers: str) -> dict[str, str]:
    _, shown = service_key(scope)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"Authorization": shown["HTTP_AUTHORIZATION"], "Content-Type": "application/json"} | sent


def pieces(body: bytes, size: int = 7) -> Iterator[bytes]:
    """Sent by http.client as one chunk each, with Transfer-Encoding and without Content-Length."""
    return (body[at : at + size] for at in range(0, len(body), size))


def post(caller: HTTPConnection, path: str, body: bytes, headers: dict[str, str]) -> tuple[HTTPResponse, bytes]:
    caller.request("POST", path, pieces(body), headers)
    answer = caller.getresponse()
    return answer, answer.read()


def block(name: str, **members: Any) -> bytes:
    return json.dumps({"account": name, "kind": "block", "reason": "bulk_harvest"} | members).encode()


class TestUsageInChunks:
    def test_is_read_whole(self, caller: HTTPConnection) -> None:
        now = datetime.now(UTC).isoformat()
        body = b"".join(line(id=f"req_{number}", occurred_at=now) + b"\n" for number in range(2_000))
        headers = authorized("usage:write", Content_Type="application/x-ndjson")

        caller.request("POST", "/api/v1/usage-events", pieces(body, 300), headers)
        plain = json.loads(caller.getresponse().read())
        zipped = headers | {"Content-Encoding": "gzip"}
        caller.request("POST", "/api/v1/usage-events", pieces(gzip.compress(body), 300), zipped)
        again = json.loads(caller.getresponse().read())

        assert (plain["accepted"], plain["rejected"]) == (2_000, 0)
        assert (again["accepted"], again["duplicate"], again["rejected"]) == (0, 2_000, 0)


class TestARestrictionInChunks:
    def test_is_put_into_force_and_lifted(self, caller: HTTPConnection) -> None:
        account("acct_harbour")
        headers = authorized(WRITES, Idempotency_Key="incident-7")

        answer, body = post(caller, "/api/v1/restrictions", block("acct_harbour"), headers)
        restriction = Restriction.objects.get()
        caller.request(
            "DELETE", f"/api/v1/restrictions/{restriction.number}", pieces(b'{"note": "a mistake"}'), authorized(WRITES)
        )
        lifted = caller.getresponse()
        lifted.read()
        restriction.refresh_from_db()

        assert (answer.status, lifted.status) == (201, 200), body
        assert restriction.account is not None
        assert restriction.account.external_id == "acct_harbour"
        assert restriction.ending_note == "a mistake"

    def test_of_which_the_end_is_missing_is_not_put_into_force(self, caller: HTTPConnection) -> None:
        account("acct_harbour")
        headers = authorized(WRITES, Idempotency_Key="incident-7")
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        part = block("acct_harbour")[:-10]
        with socket.create_connection((caller.host, caller.port or 0), timeout=PATIENCE) as sender:
            sender.sendall(
                f"POST /api/v1/restrictions HTTP/1.1\r\nHost: {caller.host}\r\nTransfer-Encoding: chunked\r\n{head}\r\n"
                f"{len(part):x}\r\n".encode()
                + part
                + b"\r\nnonsense\r\n"
            )
            said = sender.recv(2**16)

        answer, _ = post(caller, "/api/v1/restrictions", block("acct_quill"), authorized(WRITES, Idempotency_Key="8"))

        assert said.split()[1] == b"400"
        assert answer.status != 500
        assert not Restriction.objects.exists()


class TestAFormInChunks:
    def test_is_read_whole(self, caller: HTTPConnection) -> None:
        reviewer = person()
        reviewer.password = Argon2PasswordHasher().encode(PASSWORD, "as the product does")
        reviewer.save()
        token = "t" * 32
        form = {"csrfmiddlewaretoken": token, "username": reviewer.email, "password": PASSWORD}
        headers = {
            "Cookie": f"{settings.CSRF_COOKIE_NAME}={token}",
            "Content-Type": "application/x-www-form-urlencoded",
        }

        answer, body = post(caller, "/sign-in/", urlencode(form).encode(), headers)

        assert answer.status == 302, body.decode()
        assert settings.SESSION_COOKIE_NAME in "".join(answer.headers.get_all("Set-Cookie", []))


class TestABodyWithoutEnd:
    def test_is_read_up_to_the_limit_and_no_further(self, caller: HTTPConnection) -> None:
        chunk, sent = b"x" * 2**20, 0
        said = b""
        with socket.create_connection((caller.host, caller.port or 0), timeout=PATIENCE) as sender:
            shown = authorized(WRITES)["Authorization"].encode()
            sender.sendall(
                b"POST /api/v1/restrictions HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n" % shown
            )
            with suppress(OSError):  # the server closes when it has had enough
                while sent < 4 * MAX_BYTES_INFLATED:
                    sender.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                    sent += len(chunk)
            with suppress(OSError):
                said = sender.recv(2**16)
        caller.request("GET", "/health/")

        assert sent < 2 * MAX_BYTES_INFLATED
        assert said.split()[1:2] in ([], [b"413"])
        assert caller.getresponse().status == 200

    def test_of_the_largest_size_is_read(self, caller: HTTPConnection) -> None:
        body = pieces(b"x" * (MAX_BYTES_INFLATED + 1), 2**20)
        caller.request("POST", "/api/v1/restrictions", body, authorized(WRITES))
        too_large = caller.getresponse()
        said = json.loads(too_large.read())

        assert (too_large.status, said["status"]) == (413, 413)


def test_a_transfer_that_is_compressed_as_well_is_refused(caller: HTTPConnection) -> None:
    headers = authorized("usage:write", Transfer_Encoding="gzip, chunked")
    body = gzip.compress(line())
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)

    caller.request("POST", "/api/v1/usage-events", chunk, headers)

    assert caller.getresponse().status == 501
