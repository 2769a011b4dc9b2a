"""What somebody writes into an address without quoting it changes no answer."""

from contextlib import closing
from typing import Final
from urllib.parse import urlencode

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.utils import timezone

from tests.factories import PASSWORD, account, person, restriction
from tests.flows.test_slow_bodies import begun, issued_key, whole_answer
from tests.flows.web_server import running_check, running_web_server

pytestmark = pytest.mark.django_db(transaction=True)

RAW: Final = [b"q=plain", "q=é".encode(), "%C3%A9=%&ü".encode()]


def said(port: int, line: bytes, *headers: str, body: bytes = b"") -> bytes:
    head = "".join(f"{header}\r\n" for header in ("Host: 127.0.0.1", "Connection: close", *headers))
    with closing(begun(port, line + b" HTTP/1.1\r\n" + head.encode() + b"\r\n" + body)) as caller:
        return whole_answer(caller)


def test_pages_and_the_api_answer_as_always(web_server: int) -> None:
    reviewer = person()
    reviewer.password = Argon2PasswordHasher().encode(PASSWORD, "as the product does")
    reviewer.save()
    form = urlencode({"csrfmiddlewaretoken": "t" * 32, "username": reviewer.email, "password": PASSWORD}).encode()
    headers = ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(form)}"]
    headers.append(f"Cookie: csrftoken={'t' * 32}")
    apis = [said(web_server, b"GET /api/v1/restrictions?" + query) for query in RAW]
    pages = [said(web_server, b"GET /queue/?" + query) for query in RAW]
    forms = [said(web_server, b"POST /sign-in/?" + query, *headers, body=form) for query in RAW]

    assert {answer.split()[1] for answer in apis} == {b"401"}
    assert all(b"application/problem+json" in answer for answer in apis)
    assert all(b"location: /sign-in/?next=" in answer for answer in pages)
    assert all(b"set-cookie: sessionid=" in answer for answer in forms)


@pytest.mark.parametrize("charset", ["hex", "utf-16", "undefined"])
def test_the_charset_of_a_body_is_not_that_of_the_address(web_server: int, charset: str) -> None:
    headers = [f"Content-Type: application/json; charset={charset}", "Content-Length: 2"]

    api = said(web_server, b"POST /api/v1/restrictions?q=a", *headers, body=b"{}")
    page = said(web_server, b"GET /queue/?q=a", f"Content-Type: text/plain; charset={charset}")

    assert api.split()[1] == b"401"
    assert b"location: /sign-in/?next=/queue/%3Fq%3Da" in page


def test_who_is_blocked_is_refused_at_both_ports() -> None:
    secret = issued_key("edge", "access:read")
    restriction(account("acct_mole"), at=timezone.now())
    headers = [f"X-Stillwatch-Key: {secret}", "X-Account-Id: acct_mole", "X-Stillwatch-Account: acct_mole"]
    asks = [b"GET /access/envoy/v1/chat?" + query for query in RAW]
    asks.append("GET /access/envoy/v1/chät".encode())
    of_the_check = [b"GET /access/check?account=a&" + query for query in RAW]
    with running_check() as check, running_web_server(CHECK_URL=f"http://127.0.0.1:{check}") as web:
        at_check, at_web = ([said(port, ask, *headers).split()[1] for ask in asks] for port in (check, web))
        asked_of_check, asked_of_web = (
            [said(port, ask, *headers).split()[1] for ask in of_the_check] for port in (check, web)
        )

    assert at_check == at_web == [b"403"] * len(asks)
    assert asked_of_check == asked_of_web
