"""A server that answers byte for byte what a test gives it."""

import re
import socket
import threading
from contextlib import suppress
from typing import Self


def received(connected: socket.socket) -> bytes:
    """Return a whole request: its body may come after its head."""
    request = connected.recv(2**16)
    length = re.search(rb"(?im)^content-length: (\d+)", request)
    while length and len(request.partition(b"\r\n\r\n")[2]) < int(length[1]):
        request += connected.recv(2**16)
    return request


class Server:
    """Answers each connection with the next of `answers`, byte for byte, and keeps what it was sent."""

    def __init__(self, *answers: bytes, keeps_open: bool = False) -> None:
        self._answers, self._keeps_open = list(answers), keeps_open
        self.requests: list[bytes] = []
        self.connections = 0
        self.is_over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?x=1"
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        with suppress(OSError):
            while self._answers:
                connected, _ = self._socket.accept()
                self.connections += 1
                with connected:
                    self._answer(connected)

    def _answer(self, connected: socket.socket) -> None:
        while self._answers and (request := received(connected)):
            self.requests.append(request)
            answer = self._answers.pop(0)
            connected.sendall(answer)
            if answer.endswith(b"..."):  # a little now and then, for ever
                while not self.is_over.wait(0.02):
                    connected.sendall(b"x")
            if not self._keeps_open:
                return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.is_over.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


def answer(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body
