"""A receiver of webhooks on loopback, as somebody would write one with the library of the specification."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


class Receiver:
    """What came in, and how it answers: `statuses` in turn, the last one for ever; after `slow` seconds."""

    def __init__(self) -> None:
        self.statuses = [204]
        self.headers: dict[str, str] = {}
        self.slow = 0.0
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
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            receiver.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
            time.sleep(receiver.slow)
            self.send_response(receiver.answer())
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook?x=1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
