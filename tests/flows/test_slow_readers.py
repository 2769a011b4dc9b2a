"""Who does not read an answer holds no thread of the web server, and does not get the rest of it."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.flows.test_slow_bodies import asked, begun
from tests.flows.web_server import running_web_server
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

PIPELINED = 16
SIZE = 32 * 2**20  # more than the system keeps for a connection


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a large static file."""
    folder = tmp_path_factory.mktemp("data")
    static = folder / "static"
    static.mkdir()
    (static / "large.svg").write_bytes(b" " * SIZE)
    return folder


@pytest.fixture(scope="module")
def web(django_db_setup: None, data: Path) -> Iterator[int]:
    """The port of a web server with that data folder, and few threads."""
    with running_web_server(threads=2, STILLWATCH_DATA=str(data)) as port:
        yield port


@contextmanager
def silent_readers(port: int, number: int) -> Iterator[list[socket.socket]]:
    """Connections that ask for the file, again and again, and read nothing."""
    ask = b"GET /static/large.svg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * PIPELINED
    with ExitStack() as stack:
        yield [stack.enter_context(closing(begun(port, ask))) for _ in range(number)]


def test_others_are_answered_meanwhile(web: int) -> None:
    with silent_readers(web, 64) as readers:
        first = [reader.recv(12) for reader in readers]  # each answer has begun

        assert {asked(web, "GET", "/health/") for _ in range(10)} == {200}
        assert set(first) == {b"HTTP/1.1 200"}


def test_a_file_is_whole_for_who_reads_it(web: int) -> None:
    with closing(begun(web, b"")) as reader:
        reader.sendall(b"GET /static/large.svg HTTP/1.1\r\nHost: a\r\nRange: bytes=5-9\r\nConnection: close\r\n\r\n")
        pieces = []
        while piece := reader.recv(2**16):
            pieces.append(piece)

    head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
    assert head.split()[1] == b"200"
    assert body == b" " * SIZE


@pytest.mark.long
def test_the_file_is_closed_in_the_end(web: int, data: Path) -> None:
    with silent_readers(web, 8) as readers:
        for reader in readers:
            reader.recv(12)
        file = str(data / "static" / "large.svg")

        def is_open() -> bool:
            processes = psutil.Process().children(recursive=True)
            return any(opened.path == file for process in processes for opened in process.open_files())

        assert is_open()
        wait_until(lambda: not is_open(), "nobody keeps the file open")
