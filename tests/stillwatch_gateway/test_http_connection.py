"""HTTP to Stillwatch: bounded, never in plain text where https was asked for, and honest about the disk."""

import gzip
import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from stillwatch_gateway.disk import StoreError
from stillwatch_gateway.http_connection import ServerConnection, decompress, read_body, stream_to_file
from stillwatch_gateway.messages import BadMessageError
from tests.stillwatch_gateway.feed import SECRET, Answer, Feed, snapshot_of

FULL = Path("/dev/full")
Answered = Callable[[Answer], HTTPResponse]


@pytest.fixture
def answered(server: Feed) -> Iterator[Answered]:
    """What a gateway gets where the server answers this."""
    connection = ServerConnection(server.url, SECRET)

    def ask(answer: Answer) -> HTTPResponse:
        server.snapshot = answer
        return connection.ask("GET", "/api/v1/access/snapshot")

    yield ask
    connection.hang_up()


def test_an_https_address_is_asked_by_tls_only() -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listens:

        def listen() -> None:
            connection, _ = listens.accept()
            with connection:
                received.append(connection.recv(3))

        thread = threading.Thread(target=listen)
        thread.start()
        connection = ServerConnection(f"https://127.0.0.1:{listens.getsockname()[1]}", SECRET)
        with pytest.raises((OSError, HTTPException)):
            connection.ask("GET", "/")
        thread.join()
        connection.cut()  # nothing is open
        connection.hang_up()
        connection.hang_up()

    assert received[0][:2] == b"\x16\x03"  # how a TLS handshake begins


@pytest.mark.parametrize("begins_with", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n"])
def test_an_answer_that_comes_byte_by_byte_is_cut_off_in_the_end(begins_with: bytes) -> None:
    gone = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listens:

        def trickle() -> None:
            caller, _ = listens.accept()
            with caller, suppress(OSError):
                caller.sendall(begins_with)
                while not gone.wait(0.02):
                    caller.sendall(b"H")

        thread = threading.Thread(target=trickle)
        thread.start()
        caller = ServerConnection(f"http://127.0.0.1:{listens.getsockname()[1]}", SECRET, longest=0.2)
        try:
            with pytest.raises((OSError, HTTPException, BadMessageError)):
                read_body(caller.ask("GET", "/"), 10_000_000)
        finally:
            gone.set()
            caller.hang_up()
            thread.join()


class TestABody:
    @pytest.mark.parametrize(("most", "fits"), [(5, True), (4, False)])
    def test_is_read_up_to_a_limit(self, answered: Answered, most: int, *, fits: bool) -> None:
        answer = answered(Answer(b"12345"))

        if fits:
            assert read_body(answer, most) == b"12345"
        else:
            with pytest.raises(BadMessageError, match="too long"):
                read_body(answer, most)

    def test_that_ends_early_is_refused(self, answered: Answered) -> None:
        with pytest.raises(BadMessageError, match="cut off"):
            read_body(answered(Answer(b"12345", length=6)), 10)

    def test_is_inflated_only_where_it_says_that_it_is_compressed(self) -> None:
        body = gzip.compress(b"12345")

        assert decompress(body, "gzip", 5) == b"12345"
        assert decompress(body, None, 5) == body

    @pytest.mark.parametrize(
        "body", [gzip.compress(b"123456"), gzip.compress(b"12345")[:-1]], ids=["too far", "not to its end"]
    )
    def test_that_inflates_too_far_or_ends_early_is_refused(self, body: bytes) -> None:
        with pytest.raises(BadMessageError, match="too long, or was cut off"):
            decompress(body, "gzip", 5)


class TestASnapshot:
    @pytest.mark.parametrize("compressed", [True, False])
    def test_is_streamed_behind_its_head(self, answered: Answered, *, compressed: bool) -> None:
        out = io.BytesIO()

        stream_to_file(answered(snapshot_of(1, compressed=compressed)), out, b"head\n")

        assert out.getvalue() == b"head\n" + snapshot_of(1).body

    def test_that_is_too_long_is_refused(self, answered: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("stillwatch_gateway.http_connection.MOST_SNAPSHOT_BYTES", 4)

        with pytest.raises(BadMessageError, match="the snapshot is too long"):
            stream_to_file(answered(Answer(b"12345")), io.BytesIO(), b"head\n")

    @pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
    @pytest.mark.parametrize("is_unbuffered", [True, False], ids=["as it comes in", "at the end"])
    def test_that_the_disk_does_not_take_is_said_to_be_the_disks_fault(
        self, answered: Answered, *, is_unbuffered: bool
    ) -> None:
        answer, disk = answered(Answer(b"12345")), FULL.open("wb", buffering=0)
        out: Any = disk if is_unbuffered else io.BufferedWriter(disk)

        with pytest.raises(StoreError, match="No space left"):
            stream_to_file(answer, out, b"head\n")
        disk.close()  # before its buffer, which could not be written now either
        with suppress(ValueError):
            out.close()
