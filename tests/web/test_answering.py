"""Threads answer, and are free again however slowly an answer is read."""

import asyncio
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from governance.web.asgi_scope import Message
from governance.web.sending import PIECE, SendLimits
from governance.web.threads import AnswerInThreads

Start = Callable[..., Any]
LARGE = 4 * PIECE


def application(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """Answers by the path."""
    path = environ["PATH_INFO"]
    if path == "/raises":
        raise ValueError("nobody knows this")
    if path in STREAMS:
        start_response("200 OK", [])
        return STREAMS[path]()
    body = b"a" * LARGE if "/large" in path else environ["QUERY_STRING"].encode("latin-1")
    start_response("200 OK", [("Content-Length", str(len(body))), ("X-Name", "value")])
    if path == "/large-like-a-file":
        like_a_file: Iterable[bytes] = environ["wsgi.file_wrapper"](io.BytesIO(body))
        return like_a_file
    return full_disk(body) if path == "/full" else [body[:10], body[10:]]


def endless() -> Iterator[bytes]:
    while True:
        yield b"."


def full_disk(body: bytes) -> Iterator[bytes]:
    yield body
    raise OSError("No space left on device")


def broken_off(error: Exception) -> Iterator[bytes]:
    yield b"the first line\n"
    raise error


# Answers without a length.
STREAMS: dict[str, Callable[[], Iterable[bytes]]] = {
    "/stream": endless,
    "/short-stream": lambda: [b"one line\n", b"another\n"],
    "/stream-from-a-full-disk": lambda: broken_off(OSError("No space left on device")),
    "/stream-that-raises": lambda: broken_off(ValueError("nobody knows this")),
}


class Reader:
    """Asks, and reads only so many messages of an answer."""

    address: tuple[str, int] | None = ("192.0.2.7", 1)

    def __init__(self, reads: int = 1000) -> None:
        self._reads, self.said = reads, list[Message]()
        self._begun = asyncio.Event()

    async def ask(self, answers: AnswerInThreads, path: str, **headers: str) -> None:
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": path, "query_string": b"\xe9"}
        await answers({**scope, "headers": sent, "client": self.address}, self._receive, self._send)

    async def _receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def _send(self, message: Message) -> None:
        if len(self.said) >= self._reads:
            await asyncio.Event().wait()
        self.said.append(message)
        self._begun.set()

    async def begin(self, answers: AnswerInThreads, path: str, **headers: str) -> "asyncio.Task[None]":
        """A request whose answer has begun."""
        asking = asyncio.create_task(self.ask(answers, path, **headers))
        await self._begun.wait()
        return asking

    @property
    def status(self) -> int:
        return int(self.said[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.said[1:])


def answers(**limits: Any) -> AnswerInThreads:
    return AnswerInThreads(application, threads=1, limits=SendLimits(**limits))


async def asked(server: AnswerInThreads, path: str, **headers: str) -> Reader:
    reader = Reader()
    await reader.ask(server, path, **headers)
    return reader


async def end(asking: list["asyncio.Task[None]"]) -> None:
    for one in asking:
        one.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


def test_an_answer_is_whole() -> None:
    async def story() -> None:
        server = answers()
        small, large, like_a_file = [await asked(server, path) for path in ("/small", "/large", "/large-like-a-file")]
        assert (small.status, small.body) == (200, b"\xe9")
        assert (b"x-name", b"value") in small.said[0]["headers"]
        assert large.body == like_a_file.body == b"a" * LARGE
        assert [message["more_body"] for message in large.said[1:]] == [True] * 3 + [False]

    asyncio.run(story())


def test_a_thread_is_free_while_its_answer_is_read() -> None:
    async def story() -> None:
        server = answers()
        silent = [await Reader(reads=1).begin(server, "/large") for _ in range(3)]
        assert (await asked(server, "/small")).status == 200
        assert not any(one.done() for one in silent)
        await end(silent)

    asyncio.run(story())


def test_who_does_not_read_gets_no_more_in_the_end() -> None:
    async def story() -> None:
        server = answers(seconds=0.05)
        for path in ("/large", "/stream"):
            await Reader(reads=2).ask(server, path)
        assert (await asked(server, "/small")).status == 200

    asyncio.run(story())


def test_an_answer_without_a_length_ends_when_all_of_it_is_there() -> None:
    async def story() -> None:
        stream = await asked(answers(), "/short-stream")
        assert (stream.status, stream.body) == (200, b"one line\nanother\n")
        assert [message["more_body"] for message in stream.said[1:]] == [True, True, False]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("path", "error"), [("/stream-from-a-full-disk", OSError), ("/stream-that-raises", ValueError)]
)
def test_a_stream_that_breaks_off_is_not_ended_as_if_it_were_whole(path: str, error: type[Exception]) -> None:
    """The web server then cuts the connection, which tells the reader that something is missing."""

    async def story() -> None:
        reader = Reader()
        with pytest.raises(error):
            await reader.ask(answers(), path)
        assert reader.body == b"the first line\n"
        assert reader.said[-1]["more_body"]

    asyncio.run(story())


def test_who_does_not_read_the_last_piece_is_not_waited_for_again() -> None:
    async def story() -> None:
        reader = Reader(reads=2)
        await reader.ask(answers(seconds=0.05), "/short-stream")
        assert [message.get("more_body") for message in reader.said] == [None, True]

    asyncio.run(story())


def test_who_asks_through_a_unix_socket_has_no_address() -> None:
    async def story() -> None:
        reader = Reader()
        reader.address = None
        await reader.ask(answers(), "/small")
        assert (reader.status, reader.body) == (200, b"\xe9")

    asyncio.run(story())


def test_an_answer_that_was_read_gives_its_place_back() -> None:
    async def story() -> None:
        server = answers(bytes_of_an_asker=2 * LARGE)
        silent = [await Reader(reads=1).begin(server, "/api/large", authorization="Bearer one") for _ in range(2)]
        await end(silent[:1])
        assert (await asked(server, "/api/large", authorization="Bearer one")).status == 200
        await end(silent[1:])

    asyncio.run(story())


def test_one_asker_keeps_only_some_answers() -> None:
    async def story() -> None:
        server = answers(bytes_of_an_asker=2 * LARGE)
        silent = [await Reader(reads=1).begin(server, "/api/large", authorization="Bearer one") for _ in range(2)]
        assert (await asked(server, "/api/large", authorization="Bearer one")).status == 503
        assert (await asked(server, "/api/large", authorization="Bearer two")).status == 200
        assert (await asked(server, "/large", authorization="Bearer one")).status == 200  # a page
        assert (await asked(server, "/small", authorization="Bearer one")).status == 200
        await end(silent)

    asyncio.run(story())


def test_a_full_disk_and_an_error_are_problems() -> None:
    async def story() -> None:
        server = answers()
        full, broken = await asked(server, "/full"), await asked(server, "/raises")
        assert (full.status, broken.status) == (503, 500)
        for reader in (full, broken):
            assert (b"content-type", b"application/problem+json") in reader.said[0]["headers"]
            assert b"nobody knows" not in reader.body

    asyncio.run(story())
