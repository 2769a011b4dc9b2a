"""What is read of a request to the check, and what is said of one that is refused: exact values. Pure."""

import asyncio
from http import HTTPStatus
from typing import Any

import pytest

from governance.gateways.check.request_parsing import (
    CheckResponse,
    RefusedRequestError,
    bad_request_error,
    last_value,
    parse_sequence,
    query_parameters,
    shown_bearer_token,
)
from tests.gateways.check.made_requests import request


class TestARequest:
    def test_is_read_from_its_scope(self) -> None:
        made = request(query=b"account=\xfc")

        assert (made.method, made.path, made.query, made.body) == ("POST", "/access/check", "account=ü", b"")

    def test_has_headers_of_one_name_joined(self) -> None:
        made = request(("a", b"1"), ("b", b"x"), ("a", b"2"), ("a", b"\xfc"), ("x-a-b", b"3"), ("x_a_b", b"4"))

        assert (made.header(b"a"), made.header(b"c"), made.header(b"x-a-b")) == ("1,2,", None, "3")
        assert (made.sent(b"x-a-b"), made.sent(b"c"), made.sent(b"a")) == ("3,4", None, "1,2,")

    @pytest.mark.parametrize(
        ("headers", "token"),
        [([], None), ([("authorization", b"Bearer swk_1")], "swk_1"), ([("x", b"Bearer y")], None)],
    )
    def test_shows_a_bearer_token(self, headers: list[tuple[str, bytes]], token: str | None) -> None:
        assert shown_bearer_token(request(*headers)) == token


class TestTheQuery:
    @pytest.mark.parametrize(
        ("query", "parameters"),
        [
            ("account=a", [("account", "a")]),
            ("account=a=b", [("account", "a=b")]),
            ("account=", [("account", "")]),
            ("", [("", "")]),
            ("account", [("account", "")]),
            ("account=a&key=k", [("account", "a"), ("key", "k")]),
            ("account=a%2Bb", [("account", "a%2Bb"), ("account", "a+b")]),
            ("account=a+b", [("account", "a+b"), ("account", "a b")]),
            ("account=%25+", [("account", "%25+"), ("account", "%+"), ("account", "% ")]),
            ("acc%6Funt=a", [("account", "a")]),
            ("a+b=c", [("a b", "c")]),
            ("&".join(["a=1"] * 10), [("a", "1")] * 10),
        ],
    )
    def test_is_read_in_every_way(self, query: str, parameters: list[tuple[str, str]]) -> None:
        assert query_parameters(query) == parameters

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("&".join(["a=1"] * 11), "The query has more than 10 parts."),
            ("account=%FF", "The query must be percent-encoded UTF-8."),
            ("account=+%FF", "The query must be percent-encoded UTF-8."),
            ("%FF=a", "The query must be percent-encoded UTF-8."),
        ],
    )
    def test_is_refused(self, query: str, said: str) -> None:
        with pytest.raises(RefusedRequestError) as refused:
            query_parameters(query)

        assert (str(refused.value), refused.value.status) == (said, HTTPStatus.BAD_REQUEST)

    def test_goes_by_the_last_of_a_parameter(self) -> None:
        assert last_value([("a", "1"), ("b", "2"), ("a", "3")], "a") == "3"
        assert last_value([], "a") is None

    @pytest.mark.parametrize(("value", "sequence"), [(None, 0), ("", 0), ("0", 0), ("42", 42), ("9" * 18, 10**18 - 1)])
    def test_has_a_sequence(self, value: str | None, sequence: int) -> None:
        assert parse_sequence(value) == sequence

    @pytest.mark.parametrize("value", ["-1", "1.0", "x", "٣", "²", "9" * 19])
    def test_has_no_other_sequence_than_a_whole_number(self, value: str) -> None:
        with pytest.raises(RefusedRequestError, match=r"^A sequence must be a whole number\.$"):
            parse_sequence(value)


class TestARefusal:
    def test_is_a_problem_document(self) -> None:
        error = bad_request_error("The body is not JSON.")

        assert error.answer() == CheckResponse(
            HTTPStatus.BAD_REQUEST,
            [("Content-Type", "application/problem+json")],
            b'{"type":"http://127.0.0.1/problems/#invalid-request",'
            b'"status":400,"title":"Invalid request","detail":"The body is not JSON."}',
        )

    @pytest.mark.parametrize(
        ("status", "header"),
        [
            (HTTPStatus.UNAUTHORIZED, ("WWW-Authenticate", 'Bearer realm="stillwatch"')),
            (HTTPStatus.SERVICE_UNAVAILABLE, ("Retry-After", "1")),
            (HTTPStatus.TOO_MANY_REQUESTS, ("Retry-After", "1")),
        ],
    )
    def test_says_how_to_go_on(self, status: HTTPStatus, header: tuple[str, str]) -> None:
        assert RefusedRequestError(status, "x", "y").answer().headers == [
            ("Content-Type", "application/problem+json"),
            header,
        ]

    def test_is_sent_as_asgi_wants_it(self) -> None:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(CheckResponse(HTTPStatus.OK, [("X-Name", "ü")], b"body").send_to(send))

        assert sent == [
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"cache-control", b"no-store"), (b"x-name", b"\xfc")],
            },
            {"type": "http.response.body", "body": b"body"},
        ]
        assert type(sent[0]["status"]) is int
