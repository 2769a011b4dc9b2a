"""Requests of gateways at the port of the pages, handed on to the check as they came."""

import io
import json
from collections.abc import Iterable
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.utils import timezone

from governance.gateways.check.forwarding import ForwardToCheck
from tests.factories import account, restriction
from tests.front import Served
from tests.servers import free_port


def pages(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"a page"]


def asked(forward: ForwardToCheck, path: str, *, body: bytes | None = None, **environ: Any) -> tuple[str, bytes]:
    """The status and the body of an answer, which is then closed as web servers do."""
    given: dict[str, Any] = {"PATH_INFO": path, **environ}
    if body is not None:
        given |= {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
        given["wsgi.input"] = io.BytesIO(body)
    setup_testing_defaults(given)
    statuses: list[str] = []
    pieces = forward(given, lambda status, _headers: statuses.append(status))
    try:
        return statuses[0], b"".join(pieces)
    finally:
        getattr(pieces, "close", lambda: None)()


@pytest.fixture
def forward(front: Served) -> ForwardToCheck:
    return ForwardToCheck(pages, front.url, at_once=1)


def test_a_question_in_a_query_and_one_in_a_body_are_answered_by_the_check(
    front: Served, forward: ForwardToCheck
) -> None:
    front.knows(restriction(account("acct_mole"), at=timezone.now()).number)
    key = f"Bearer {front.secret}"

    in_query = asked(forward, "/access/check", QUERY_STRING="account=acct_mole", HTTP_AUTHORIZATION=key)
    in_body = asked(forward, "/access/check", body=b'{"account": "acct_mole"}', HTTP_AUTHORIZATION=key)
    without_key = asked(forward, "/access/check", QUERY_STRING="account=acct_mole")

    assert [status for status, _ in (in_query, in_body, without_key)] == ["200 OK", "200 OK", "401 Unauthorized"]
    assert [json.loads(body)["decision"] for _, body in (in_query, in_body)] == ["deny", "deny"]


def test_a_page_is_not_asked_of_the_check() -> None:
    forward = ForwardToCheck(pages, f"http://127.0.0.1:{free_port()}")

    assert asked(forward, "/queue/") == ("200 OK", b"a page")


def test_that_the_check_is_away_is_said_and_takes_no_place() -> None:
    forward = ForwardToCheck(pages, f"http://127.0.0.1:{free_port()}", at_once=1)

    answers = [asked(forward, "/access/check") for _ in range(2)]

    assert {status for status, _ in answers} == {"503 Service Unavailable"}
    assert all(b"The check does not answer" in body for _, body in answers)


def test_what_goes_wrong_here_takes_no_place_either(front: Served, forward: ForwardToCheck) -> None:
    def broken(_status: str, _headers: Any) -> None:
        raise ZeroDivisionError

    environ: dict[str, Any] = {"PATH_INFO": "/access/check"}
    setup_testing_defaults(environ)

    with pytest.raises(ZeroDivisionError):
        forward(environ, broken)

    assert asked(forward, "/access/check")[0] == "401 Unauthorized"
