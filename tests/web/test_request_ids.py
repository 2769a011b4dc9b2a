"""Each answer has an id, and the lines of the log that were written for it have the same."""

import logging
import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from governance.web.request_ids import RequestIdMiddleware, WithRequestId

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/sign-in/", "/nowhere/", "/api/v1/restrictions", "/api/v1/nowhere", "/taxii2/"])
def test_every_answer_has_one(client: Client, address: str) -> None:
    ids = {client.get(address)["X-Request-Id"] for _ in range(2)}

    assert len(ids) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)


def test_that_of_the_caller_is_kept(client: Client) -> None:
    assert client.get("/api/v1/restrictions", HTTP_X_REQUEST_ID="call-7.a_B")["X-Request-Id"] == "call-7.a_B"


@pytest.mark.parametrize("given", ["", "a b", "a\nb", "x" * 65, "ü", "<b>"])
def test_one_that_could_be_read_as_something_else_is_not(client: Client, given: str) -> None:
    assert client.get("/api/v1/restrictions", HTTP_X_REQUEST_ID=given)["X-Request-Id"] != given


def test_lines_of_the_log_have_it_while_the_request_is_answered() -> None:
    def line() -> str:
        record = logging.LogRecord("django.request", logging.WARNING, __file__, 1, "Slow", None, None)
        assert WithRequestId().filter(record)
        return str(vars(record)["of_request"])

    lines = []

    def answer(_request: HttpRequest) -> HttpResponse:
        lines.append(line())
        return HttpResponse()

    RequestIdMiddleware(answer)(RequestFactory().get("/", HTTP_X_REQUEST_ID="call-7"))

    assert (lines, line()) == (["[call-7] "], "")
