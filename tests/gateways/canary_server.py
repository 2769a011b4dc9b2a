"""A gateway that asks PostgreSQL itself whether the canary has access, and may be disobedient."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from governance.restrictions.queries import access
from tests.servers import Quiet, serving

ACCOUNT = "acct_canary"


class Request(NamedTuple):
    method: str
    path: str
    authorization: str | None
    content_type: str | None
    body: str


class CanaryServer(ThreadingHTTPServer):
    """`refuses_with` is how it says no, `obeys` whether it ever does, and `lets_in_again` whether it gets over that.

    With `instead` it answers that, once it has given `answers` answers.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/v1/models"
        self.obeys, self.lets_in_again, self.refuses_with = True, True, 403
        self.answers, self.instead = 0, 0
        self.asked: list[Request] = []
        self._refused = False

    def status(self) -> int:
        if self.instead and len(self.asked) > self.answers:
            return self.instead
        try:
            allowed = access(account=ACCOUNT, now=timezone.now()).allowed
        finally:
            connection.close()
        if not self.obeys or (allowed and (self.lets_in_again or not self._refused)):
            return 200
        self._refused = True
        return self.refuses_with


class _Handler(Quiet, BaseHTTPRequestHandler):
    server: CanaryServer

    def do_GET(self) -> None:
        said = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.asked.append(
            Request(self.command, self.path, self.headers["Authorization"], self.headers["Content-Type"], said)
        )
        status = self.server.status()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.server.url)
        self.end_headers()
        self.wfile.write(b"x" * 200_000)

    def do_POST(self) -> None:
        self.do_GET()

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            """Nobody reads all of a long answer."""


@contextmanager
def canary_server() -> Iterator[CanaryServer]:
    with serving(CanaryServer()) as server:
        yield server
