"""Requests to other servers, sent to real ones on loopback."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from governance.platform.outbound import BodyLimit, OutboundClient, OutboundResponse, send
from governance.platform.outbound_errors import (
    AddressRefusedError,
    AnswerTooLongError,
    ConnectionClosedError,
    OutboundError,
)
from tests.platform.raw_server import Server, answer

SECRET = "sk-1234567890"
FOREVER = 60.0  # seconds: longer than any of these tests


def get(url: str, *, seconds: float = FOREVER, most_bytes: int = 1_000, **options: Any) -> OutboundResponse:
    return send("GET", url, seconds=seconds, most_bytes=most_bytes, **options)


@contextmanager
def name_resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> Iterator[list[str]]:
    """Every name leads to these addresses while the block lasts. Yield the names that were looked up."""
    asked: list[str] = []

    def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]

    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", resolve)
        yield asked


class TestARequest:
    def test_says_what_it_was_given_and_returns_the_answer(self) -> None:
        with Server(answer(b"ok", "202 Accepted", "Retry-After: 7")) as server:
            response = get(server.url, content=b"hello", headers={"X-One": "1"})

        assert (response.status, response.body, response.headers["retry-after"]) == (202, b"ok", "7")
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert head.startswith(b"GET /hook?x=1 HTTP/1.1")
        assert b"X-One: 1" in head
        assert body == b"hello"

    def test_follows_no_redirect(self) -> None:
        with Server(answer()) as elsewhere:
            with Server(answer(b"", "307 Temporary Redirect", f"Location: {elsewhere.url}")) as server:
                response = get(server.url, headers={"Authorization": SECRET})

            assert (response.status, response.redirects_to) == (307, elsewhere.url)
            assert elsewhere.connections == 0

    def test_uses_no_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

        with Server(answer()) as server:
            assert get(server.url).status == 200

    @pytest.mark.parametrize("url", ["", "hook", "ftp://example.com/", "http://", "http://a:0/", "http://a:99999/"])
    def test_needs_a_usable_address(self, url: str) -> None:
        with pytest.raises(OutboundError, match="no usable address"):
            get(url)

    def test_that_no_server_takes_says_so(self) -> None:
        with pytest.raises(OutboundError, match=r"^connection refused$"):
            get("http://127.0.0.1:1/")

    def test_that_is_answered_in_another_protocol_says_so(self) -> None:
        with (
            Server(b"220 mail.example ESMTP\r\n") as server,
            pytest.raises(OutboundError, match=r"connection was closed|not HTTP"),
        ):
            get(server.url)


class TestADeadline:
    @pytest.mark.parametrize(
        "beginning",
        [
            b"HTTP/1.0 200 OK\r\n\r\n...",
            b"HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n...",
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 65536\r\n\r\n...",
            b"HTTP/1.1 200 OK\r\nX-Long: ...",
            b"HTTP/1.1 ...",
        ],
    )
    def test_ends_an_answer_that_drips(self, beginning: bytes) -> None:
        with Server(beginning) as server, pytest.raises(OutboundError, match=r"^no answer in time$"):
            get(server.url, seconds=0.5, most_bytes=10**9)

    def test_ends_silence_too(self) -> None:
        with (
            Server(b"", b"", keeps_open=True) as server,
            pytest.raises(OutboundError, match=r"^no answer in time$"),
        ):
            get(server.url, seconds=0.5)

    def test_ends_a_tls_handshake_that_drips(self) -> None:
        with Server(b"\x16\x03\x03\x40\x00...") as server, pytest.raises(OutboundError, match=r"^no answer in time$"):
            get(server.url.replace("http:", "https:"), seconds=0.5)

    def test_ends_a_request_whose_name_took_all_the_time_to_resolve(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with Server(answer()) as server:

            def resolve_slowly(*_: Any, **__: Any) -> list[Any]:
                time.sleep(0.1)
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))]

            monkeypatch.setattr(socket, "getaddrinfo", resolve_slowly)
            with pytest.raises(OutboundError, match=r"^no answer in time$"):
                get("http://hooks.example.com/", seconds=0.01)

    def test_is_that_of_each_request_over_a_kept_connection(self) -> None:
        with (
            Server(answer(), b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n...", keeps_open=True) as server,
            OutboundClient(server.url, seconds=0.5, most_bytes=1_000) as client,
        ):
            client.request("GET", "/")
            with pytest.raises(OutboundError, match="no answer in time"):
                client.request("GET", "/")

        assert server.connections == 1


class TestAnAnswer:
    def test_that_is_too_long_is_refused(self) -> None:
        with Server(answer(b"x" * 101)) as server, pytest.raises(AnswerTooLongError, match="more than 100 bytes"):
            get(server.url, most_bytes=100)

    def test_of_just_the_maximum_is_taken(self) -> None:
        with Server(answer(b"x" * 100)) as server:
            assert len(get(server.url, most_bytes=100).body) == 100

    def test_may_be_cut_instead(self) -> None:
        with Server(b"HTTP/1.0 200 OK\r\n\r\n...") as server:
            assert get(server.url, most_bytes=20, body=BodyLimit.CUT).body == b"..." + b"x" * 17

    def test_may_be_a_stream_of_which_the_first_part_is_enough(self) -> None:
        with Server(b"HTTP/1.0 200 OK\r\n\r\n...") as server:
            assert get(server.url, body=BodyLimit.FIRST_PART).body.startswith(b"...")


class TestAnAddress:
    def test_that_is_not_allowed_gets_no_connection(self) -> None:
        with Server(answer()) as server, pytest.raises(AddressRefusedError, match="not public"):
            get(server.url, is_allowed=lambda _: False)

        assert server.connections == 0

    def test_is_refused_if_the_name_has_one_that_is_not_allowed_beside(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with (
            Server(answer()) as server,
            name_resolves_to(monkeypatch, ("127.0.0.1", server.port), ("10.0.0.1", server.port)),
            pytest.raises(AddressRefusedError),
        ):
            get("http://hooks.example.com/", is_allowed=lambda address: address == "127.0.0.1")

        assert server.connections == 0

    def test_that_was_checked_is_the_one_connected_to(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A name that is asked for twice could mean another address the second time."""
        checked: list[str] = []

        def is_allowed(address: str) -> bool:
            checked.append(address)
            return True

        with Server(answer()) as server, name_resolves_to(monkeypatch, ("127.0.0.1", server.port)) as asked:
            assert get("http://hooks.example.com/", is_allowed=is_allowed).status == 200

        assert (asked, checked) == (["hooks.example.com"], ["127.0.0.1"])
        assert b"Host: hooks.example.com" in server.requests[0]

    def test_that_does_not_answer_gives_way_to_the_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with Server(answer()) as server, name_resolves_to(monkeypatch, ("127.0.0.2", 1), ("127.0.0.1", server.port)):
            assert get("http://hooks.example.com/").status == 200


class TestAKeptConnection:
    def test_is_used_again(self) -> None:
        with (
            Server(answer(b"1"), answer(b"2"), keeps_open=True) as server,
            OutboundClient(server.url, seconds=FOREVER, most_bytes=100) as client,
        ):
            assert [client.request("GET", "/").body for _ in range(2)] == [b"1", b"2"]

        assert server.connections == 1

    def test_that_the_server_closed_is_made_again(self) -> None:
        with (
            Server(answer(b"1"), answer(b"2")) as server,
            OutboundClient(server.url, seconds=FOREVER, most_bytes=100) as client,
        ):
            assert [client.request("GET", "/", is_repeatable=True).body for _ in range(2)] == [b"1", b"2"]

        assert server.connections == 2

    def test_that_the_server_closed_is_not_made_again_for_what_must_not_be_sent_twice(self) -> None:
        """The server may have read the request before it closed the connection."""
        with (
            Server(answer(b"1"), b"", keeps_open=True) as server,
            OutboundClient(server.url, seconds=FOREVER, most_bytes=100) as client,
        ):
            client.request("POST", "/")
            with pytest.raises(ConnectionClosedError):
                client.request("POST", "/")

        assert len(server.requests) == 2

    def test_is_usable_after_a_failure(self) -> None:
        with (
            Server(answer(b"x" * 500), answer(b"2")) as server,
            OutboundClient(server.url, seconds=FOREVER, most_bytes=100) as client,
        ):
            with pytest.raises(AnswerTooLongError):
                client.request("GET", "/")
            assert client.request("GET", "/").body == b"2"


class TestASecret:
    def test_is_masked_in_what_a_server_says(self) -> None:
        with OutboundClient("http://127.0.0.1:1", seconds=1, most_bytes=1, secrets=[SECRET, ""]) as client:
            assert client.quote(f"Bad key {SECRET}!") == "Bad key …!"
            assert len(client.quote("x" * 5_000)) == 200

    def test_is_not_in_the_error_for_a_header_that_cannot_be_sent(self) -> None:
        with Server(answer()) as server, pytest.raises(OutboundError) as raised:
            get(server.url, headers={"Authorization": f"{SECRET}\nX-Evil: 1"})

        assert str(raised.value) == "the request cannot be sent"
        assert raised.value.__cause__ is None

    def test_is_not_in_the_error_for_an_answer_that_repeats_it(self) -> None:
        with Server(f"{SECRET} {SECRET}\r\n\r\n".encode()) as server, pytest.raises(OutboundError) as raised:
            get(server.url, headers={"Authorization": SECRET})

        assert SECRET not in str(raised.value)
