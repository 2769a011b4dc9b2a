"""What is read of a request to the check, and what is said of one that is refused: exact values. Pure."""

import asyncio
import hashlib
from http import HTTPStatus
from typing import Any

import msgspec
import pytest

from governance.gateways.check import json_nesting, request_parsing
from governance.gateways.check.header_protocols import decision_headers, header_query
from governance.gateways.check.json_nesting import TooManyBracketsError, replace_deep_values
from governance.gateways.check.request_parsing import (
    AccessQuery,
    CheckResponse,
    NameCollector,
    RefusedRequestError,
    Request,
    bad_request_error,
    body_members,
    decode_body,
    decode_body_leniently,
    last_value,
    parse_sequence,
    query_parameters,
    shown_bearer_token,
)
from stillwatch_gateway.naming import LONGEST_NAME
from stillwatch_gateway.restriction_set import Decision


class Asked(msgspec.Struct):
    account: str = ""
    inside: dict[str, Any] = {}
    listed: list[int] | None = None


def request(*headers: tuple[str, bytes], body: bytes = b"", query: bytes = b"") -> Request:
    scope = {
        "method": "POST",
        "path": "/access/check",
        "query_string": query,
        "headers": [(name.encode(), value) for name, value in headers],
    }
    made = Request(scope)
    made.body = body
    return made


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
            b'{"type":"about:blank","status":400,"title":"Invalid request","detail":"The body is not JSON."}',
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


# What no parser of JSON takes: half of a surrogate pair.
HALF = b'"\\ud800"'


def refusal(read: Any, body: bytes) -> str:
    with pytest.raises(RefusedRequestError) as refused:
        read(request(body=body), Asked)
    return str(refused.value)


class TestABody:
    def test_has_every_member_also_twice(self) -> None:
        assert body_members(request(body=b'{"a": 1, "a": [2], "b": {"c": 3}}')) == [
            ("a", 1), ("a", [2]), ("b", (("c", 3),)),
        ]  # fmt: skip
        assert body_members(request(body=b"{}")) == []

    @pytest.mark.parametrize(
        ("body", "said"),
        [(b"", "The body is not JSON."), (b"{", "The body is not JSON."), (b"[]", "The body is not a JSON object."),
         (b"7", "The body is not a JSON object.")],
    )  # fmt: skip
    def test_is_a_json_object(self, body: bytes, said: str) -> None:
        with pytest.raises(RefusedRequestError) as refused:
            body_members(request(body=body))

        assert str(refused.value) == said

    @pytest.mark.parametrize("read", [decode_body, decode_body_leniently])
    def test_is_read_as_what_is_asked(self, read: Any) -> None:
        body = b'{"account": "a", "inside": {"b": [1]}, "more": 1}'
        deep = b'{"account": "a", "more": ' + b"[" * 3_000 + b"]" * 3_000 + b"}"

        assert read(request(body=body), Asked) == Asked("a", {"b": [1]})
        assert read(request(body=deep), Asked) == Asked("a")
        assert body_members(request(body=deep))[0] == ("account", "a")

    @pytest.mark.parametrize("read", [decode_body, decode_body_leniently])
    def test_that_does_not_fit_says_what_was_expected(self, read: Any) -> None:
        assert refusal(read, b'{"account": 5}') == "Invalid body: account must be a text."

    @pytest.mark.parametrize("read", [decode_body, decode_body_leniently])
    def test_with_too_many_brackets_says_so(self, read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(json_nesting, "MOST_BRACKETS", 5_999)

        assert (
            refusal(read, b'{"more":' + b"[" * 3_000 + b"]" * 3_000 + b"}") == "The body has more than 5,999 brackets."
        )

    def test_with_half_a_character_is_read_leniently_only(self) -> None:
        body = (
            b'{"account": "a", "texts": ['
            + HALF
            + b'], "listed": [1], "inside": {"b": '
            + HALF
            + b', "c": {"d": [5]}}}'
        )

        assert refusal(decode_body, body).startswith("Invalid body: it is not JSON: ")
        assert decode_body_leniently(request(body=body), Asked) == Asked("a", {"b": "\ud800", "c": None})

    def test_with_bytes_that_are_none_is_read_leniently_only(self) -> None:
        body = b'{"account": "a", "more": NaN, "text": "\xff"}'

        assert refusal(decode_body, body).startswith("Invalid body: it is not JSON: ")
        assert refusal(decode_body, b'{"account": "\xff"}') == "Invalid body: it is not UTF-8."
        assert decode_body_leniently(request(body=body), Asked) == Asked("a")
        assert decode_body_leniently(request(body=b'{"account": "\xff"}'), Asked) == Asked("\ufffd")

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (b'{"more": NaN, "account": 5}', "Invalid body: account must be a text."),
            (b'{"account": ', "Invalid body: Expecting value: line 1 column 13 (char 12)."),
        ],
    )
    def test_that_is_read_leniently_has_to_fit(self, body: bytes, said: str) -> None:
        assert refusal(decode_body_leniently, body) == said

    def test_that_is_read_leniently_has_a_length(self, monkeypatch: pytest.MonkeyPatch) -> None:
        body = b'{"account": "a", "more": NaN}'
        monkeypatch.setattr(request_parsing, "MOST_READ_LENIENTLY", len(body))

        assert decode_body_leniently(request(body=body), Asked) == Asked("a")
        assert refusal(decode_body_leniently, body + b" ") == (
            "The body holds what is no JSON, such as half of a surrogate pair, and more than 29 bytes outside of lists."
        )

    def test_that_is_read_leniently_has_as_many_brackets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(json_nesting, "MOST_BRACKETS", 3)

        assert refusal(decode_body_leniently, b'{"a": NaN, "b": []}') == "The body has more than 3 brackets."


class TestNesting:
    @pytest.mark.parametrize(
        ("document", "deepest", "deepest_array", "left"),
        [
            ('{"a": {"b": 1}}', 1, 1, '{"a": null}'),
            ('{"a": {"b": 1}}', 2, 0, '{"a": {"b": 1}}'),
            ('{"a": [1, {"b": 2}], "c": [3]}', 2, 1, '{"a": null, "c": null}'),
            ('{"a": [1, {"b": 2}], "c": 3}', 2, 2, '{"a": [1, null], "c": 3}'),
            ('[[["x"]], ["]"]]', 2, 2, '[[null], ["]"]]'),
            ("[1], [2]", 0, 0, "null, null"),
            ('{"a": [', 1, 1, '{"a": '),
            ('{"a": "[', 1, 1, '{"a": "['),
            ('[["x', 1, 1, "["),
            ("]]", 1, 1, "]]"),
            ("", 1, 1, ""),
        ],
    )
    def test_is_cut_where_it_is_too_deep(self, document: str, deepest: int, deepest_array: int, left: str) -> None:
        read = replace_deep_values(document.encode(), deepest=deepest, deepest_array=deepest_array)

        assert read == left.encode()

    def test_is_looked_at_beyond_a_thousand_strings(self) -> None:
        strings = '"[",' * 2_500

        assert (
            replace_deep_values(f"[{strings}[1]]".encode(), deepest=1, deepest_array=1) == f"[{strings}null]".encode()
        )

    @pytest.mark.parametrize(("most", "is_read"), [(4, True), (3, False)])
    def test_has_as_many_brackets_as_can_be_looked_at(
        self, most: int, monkeypatch: pytest.MonkeyPatch, *, is_read: bool
    ) -> None:
        monkeypatch.setattr(json_nesting, "MOST_BRACKETS", most - 1)

        if is_read:
            assert replace_deep_values(b"[1]") == b"[1]"
            return
        with pytest.raises(TooManyBracketsError, match=r"^The body has more than 2 brackets\.$"):
            replace_deep_values(b"[1]")

    def test_is_as_deep_as_anything_that_is_read(self) -> None:
        deepest = b"[" * json_nesting.DEEPEST + b"]" * json_nesting.DEEPEST

        assert replace_deep_values(deepest) == deepest
        assert replace_deep_values(b"[" + deepest + b"]") == b"[" * 64 + b"null" + b"]" * 64


def collected(*named: tuple[str, str]) -> tuple[list[str], str]:
    names = NameCollector()
    for kind, value in named:
        names.add(kind, value)
    return names.found, names.unreadable


class TestNames:
    def test_are_collected_in_every_reading(self) -> None:
        assert collected(("account", "a"), ("key", " k "), ("account", "50%25"), ("key", "None"), ("digest", "AB")) == (
            ["account:a", "key:k", "account:50%25", "account:50%", "digest:ab"],
            "",
        )

    @pytest.mark.parametrize(
        ("value", "found", "why"),
        [
            ("", [], "it is blank. Leave it out where there is none."),
            (" ", [], "it is blank. Leave it out where there is none."),
            ("a\0", ["account:a\0"], "it holds NUL, which no name does."),
            ("x" * (LONGEST_NAME + 1), [], "at most 200 characters, as UTF-8."),
        ],
    )
    def test_that_cannot_be_read_are_said_so(self, value: str, found: list[str], why: str) -> None:
        said = f"The name of the account cannot be read: {why}"

        assert collected(("account", value), ("key", "k")) == ([*found, "key:k"], said)

    def test_are_as_long_as_any(self) -> None:
        assert collected(("account", "x" * LONGEST_NAME)) == ([f"account:{'x' * 200}"], "")

    @pytest.mark.parametrize(
        ("value", "found"),
        [
            (" a ", ["account:a"]),
            ("a,b", ["account:a,b", "account:a", "account:a, b", "account:b"]),
        ],
    )
    def test_of_a_header_are_all_that_it_may_hold(self, value: str, found: list[str]) -> None:
        names = NameCollector()
        names.add_header("account", value)

        assert (names.found, names.unreadable) == (found, "")

    @pytest.mark.parametrize("value", ["", " ", "a,,b", ","])
    def test_of_a_header_that_is_blank_cannot_be_read(self, value: str) -> None:
        names = NameCollector()
        names.add_header("key", value)

        assert names.unreadable == (
            "The name of the key cannot be read: percent-encode what is not ASCII, and send no header where there is "
            "no name."
        )


def digest(secret: str) -> str:
    return f"digest:{hashlib.sha256(secret.encode()).hexdigest()}"


class TestAQueryByHeaders:
    def test_goes_by_every_name_and_every_key(self) -> None:
        asked = header_query(
            request(
                ("x-stillwatch-account", b"a"),
                ("x_stillwatch_api_key", b"k"),
                ("x-stillwatch-key-digest", b"DD"),
                ("x-stillwatch-organisation", b"o"),
                ("authorization", b"Bearer sk-1"),
                ("x_api_key", b"sk-2"),
            )
        )

        assert asked == AccessQuery(
            ["account:a", "key:k", "digest:dd", "organisation:o", digest("sk-1"), digest("sk-2")], 0, ""
        )

    @pytest.mark.parametrize("name", ["authorization", "x-api-key"])
    @pytest.mark.parametrize("value", [b"", b"\xfc", b"sk,", b",sk", b"a,,b"])
    def test_says_so_where_a_key_cannot_be_read(self, name: str, value: bytes) -> None:
        asked = header_query(request((name, value), ("x-stillwatch-account", b"a")))

        assert asked.unreadable == "The API key cannot be read: it is blank or not ASCII."

    def test_takes_several_keys(self) -> None:
        asked = header_query(request(("x-api-key", b"sk-1,sk-2")))

        assert (digest("sk-1") in asked.names, digest("sk-2") in asked.names, asked.unreadable) == (True, True, "")

    def test_says_so_where_there_are_too_many_words(self) -> None:
        asked = header_query(request(("authorization", b"Bearer " + b"x " * 64)))

        assert asked == AccessQuery([], 0, "The headers that show API keys have more than 64 words.")

    @pytest.mark.parametrize("name", ["authorization", "x-api-key"])
    def test_goes_by_no_key_that_was_not_sent(self, name: str) -> None:
        assert header_query(request((name, b"sk-1"))) == AccessQuery([digest("sk-1")], 0, "")

    @pytest.mark.parametrize("headers", [[], [("authorization", b"Basic a")], [("x-stillwatch-account", b"None")]])
    def test_without_any_name_is_refused(self, headers: list[tuple[str, bytes]]) -> None:
        with pytest.raises(RefusedRequestError) as refused:
            header_query(request(*headers))

        said = refused.value
        assert (said.status, said.title, str(said)) == (
            HTTPStatus.UNAUTHORIZED, "No name", "Send an API key as a bearer token or in X-Api-Key.",
        )  # fmt: skip

    @pytest.mark.parametrize(
        "headers", [[("authorization", b"sk-1")], [("x-api-key", b"sk-1")], [("x-stillwatch-account", b"")]]
    )
    def test_needs_one_of_these_only(self, headers: list[tuple[str, bytes]]) -> None:
        asked = header_query(request(*headers))

        assert bool(asked.names) != bool(asked.unreadable)


class TestTheHeadersOfADecision:
    def test_say_all_that_there_is(self) -> None:
        decision = Decision(
            allowed=True, kind="throttle", reason="other", number=7, requests_per_minute=60, tokens_per_minute=900,
            withheld=("logprobs", "reasoning"), sequence=9, age=0.0, epoch="e1",
        )  # fmt: skip

        assert decision_headers(decision) == [
            ("X-Stillwatch-Decision", "allow"),
            ("X-Stillwatch-Epoch", "e1"),
            ("X-Stillwatch-Sequence", "9"),
            ("X-Stillwatch-Restriction", "7"),
            ("X-Stillwatch-Kind", "throttle"),
            ("X-Stillwatch-Reason", "other"),
            ("X-Stillwatch-Requests-Per-Minute", "60"),
            ("X-Stillwatch-Tokens-Per-Minute", "900"),
            ("X-Stillwatch-Withheld", "logprobs,reasoning"),
        ]

    def test_say_nothing_of_what_there_is_not(self) -> None:
        decision = Decision(
            allowed=False, kind=None, reason=None, number=None, requests_per_minute=None, tokens_per_minute=None,
            withheld=(), sequence=9, age=0.0,
        )  # fmt: skip

        assert decision_headers(decision) == [
            ("X-Stillwatch-Decision", "deny"), ("X-Stillwatch-Epoch", ""), ("X-Stillwatch-Sequence", "9"),
        ]  # fmt: skip
