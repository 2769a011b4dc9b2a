"""Servers and processes that tests talk to."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer
from threading import Thread
from typing import Any, TypeVar

Server = TypeVar("Server", bound=HTTPServer)


def free_port() -> int:
    """A port of this machine on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Quiet:
    def log_message(self, *args: Any) -> None:
        """A test says what went wrong itself."""


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """It answers from a thread of its own until the block ends."""
    with server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def end(process: subprocess.Popen[Any], *, patience: float = 20.0) -> None:
    """Ask it to end, and make it after so many seconds."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
