"""What is read of the body of a request to the check: exact values. Pure."""

from typing import Any

import msgspec
import pytest

from governance.gateways.check import json_nesting, request_parsing
from governance.gateways.check.request_parsing import (
    RefusedRequestError,
    body_members,
    decode_body,
    decode_body_leniently,
)
from tests.gateways.check.made_requests import request


class Asked(msgspec.Struct):
    account: str = ""
    inside: dict[str, Any] = {}
    listed: list[int] | None = None


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
