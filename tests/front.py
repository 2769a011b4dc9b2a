"""The web server's front, served on loopback: what gateways ask, answered from memory as in production."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.client import HTTPConnection
from typing import Any, NamedTuple

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.utils import timezone

from governance.enforcement.access.front import Front
from governance.staff.actions import issue_service_key
from tests.factories import MACHINE
from tests.waiting import PATIENCE


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in Python
        pass


class Said(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Served:
    """The front at an address, and a service key that may ask it."""

    def __init__(self, front: Front, port: int) -> None:
        self.front, self.port, self.url = front, port, f"http://127.0.0.1:{port}"
        self.secret = issue_service_key(name="litellm", scopes=["access:read"], by=MACHINE, now=timezone.now())[1]

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: Any = None,
        text: str | None = None,
        key: str | None = None,
        **headers: str,
    ) -> Said:
        """With this server's service key unless `key` says otherwise; `headers` with _ for -; `text` is a body."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is None and not {"x-stillwatch-key", "authorization"} & set(sent):
            sent["authorization"] = f"Bearer {self.secret}"
        elif key:
            sent["authorization"] = f"Bearer {key}"
        caller = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            caller.request(method, path, json.dumps(body) if body is not None else text, sent)
            answer = caller.getresponse()
            return Said(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            caller.close()

    def check(self, **names: str | int) -> Any:
        """Stillwatch's own dialect."""
        return self.ask("/access/check", method="POST", body=names).json

    def knows(self, number: int) -> bool:
        return self.front.keeper.wait_for(number, PATIENCE)


@contextmanager
def served(
    *,
    closed_plans: tuple[str, ...] = (),
    waiting: int = 100,
    port: int = 0,
    unreadable_as_outage: bool = False,
    clock: Callable[[], datetime] = timezone.now,
) -> Iterator[Served]:
    front = Front(
        get_wsgi_application(),
        clock,
        closed_plans=closed_plans,
        waiting=waiting,
        unreadable_as_outage=unreadable_as_outage,
    )
    front.start()
    server = ThreadedWSGIServer(("127.0.0.1", port), _Quiet, connections_override={})
    server.daemon_threads = True
    server.set_app(front)
    listening = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    listening.start()
    try:
        yield Served(front, server.server_port)
    finally:
        server.shutdown()
        listening.join()
        server.socket.close()
        front.end()
