"""A receiver of webhooks on loopback, as somebody would write one with the library of the specification."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

from tests.servers import Quiet, serving


class Receiver:
    """What came in, and how it answers: `statuses` in turn, the last one for ever; once `may_answer` is set."""

    def __init__(self) -> None:
        self.statuses = [204]
        self.headers: dict[str, str] = {}
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.received: list[tuple[dict[str, str], str]] = []
        self.url = ""

    def answer(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def verified(self, secret: str) -> list[Any]:
        """The messages, each of which this secret verifies. Raises WebhookVerificationError."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.received]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.received]


@contextmanager
def receiving(identity: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """With `identity` it is reached by https, as localhost."""
    receiver = Receiver()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            receiver.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
            receiver.may_answer.wait()
            self.send_response(receiver.answer())
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook?x=1"
    if identity is not None:
        server.socket = identity.wrap_socket(server.socket, server_side=True)
        receiver.url = f"https://localhost:{server.server_port}/hook"
    with serving(server):
        try:
            yield receiver
        finally:
            receiver.may_answer.set()


@contextmanager
def trickling(beginning: bytes) -> Iterator[str]:
    """The address of a receiver that answers with this, and then a little now and then, for ever."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connected, _ = server.accept()
            with connected, suppress(OSError):
                connected.recv(2**16)
                connected.sendall(beginning)
                while not over.wait(0.05):
                    connected.sendall(b"x")

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"
        finally:
            over.set()
            thread.join()
