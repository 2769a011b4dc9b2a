"""Each answer has an id, and the lines of the log that were written for it have the same."""

import logging
import re
from collections.abc import Iterator

import pytest
from django.test import Client

from governance.web.request_ids import WithRequestId
from tests.factories import person

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


class Lines(logging.Handler):
    """The ids of the lines that are written."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(WithRequestId())
        self.ids: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.ids.append(str(vars(record)["of_request"]))


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines()
    logging.getLogger("django.request").addHandler(handler)
    yield handler
    logging.getLogger("django.request").removeHandler(handler)


@pytest.mark.parametrize("address", ["/api/v1/restrictions", "/nowhere/"])
def test_lines_of_the_log_about_a_request_have_it(client: Client, lines: Lines, address: str) -> None:
    client.force_login(person())

    client.get(address, HTTP_X_REQUEST_ID="call-7")

    assert lines.ids == ["[call-7] "]


def test_other_lines_have_none(client: Client, lines: Lines) -> None:
    client.get("/api/v1/restrictions", HTTP_X_REQUEST_ID="call-7")

    logging.getLogger("django.request").warning("Something else")

    assert lines.ids == ["[call-7] ", ""]
