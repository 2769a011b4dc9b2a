"""The names that are read of a request to the check: exact values. Pure."""

import hashlib
from http import HTTPStatus

import pytest

from governance.gateways.check.header_protocols import header_query
from governance.gateways.check.request_parsing import AccessQuery, NameCollector, RefusedRequestError
from stillwatch_gateway.naming import LONGEST_NAME
from tests.gateways.check.made_requests import request


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
