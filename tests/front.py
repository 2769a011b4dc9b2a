"""The check, served on loopback by the server of production: what gateways ask, answered from memory."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.client import HTTPConnection
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from governance.gateways.check.app import CheckApp
from governance.gateways.check.saved_state import StateStore
from governance.staff.service_keys import issue_service_key
from tests.factories import MACHINE
from tests.servers import free_port
from tests.waiting import PATIENCE, wait_until


class Said(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Served:
    """The front at an address, and a service key that may ask it."""

    def __init__(self, front: CheckApp, port: int) -> None:
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
        """Stillwatch's own protocol."""
        return self.ask("/access/check", method="POST", body=names).json

    def knows(self, number: int) -> bool:
        """Return True once it has sent this change to those who wait."""
        wait_until(lambda: self.front.replica.announced >= number, f"change {number} is known")
        return True


@contextmanager
def served(
    *,
    closed_plans: tuple[str, ...] = (),
    waiting: int = 100,
    port: int = 0,
    unreadable_as_outage: bool = False,
    clock: Callable[[], datetime] = timezone.now,
    store: StateStore | None = None,
) -> Iterator[Served]:
    front = CheckApp(
        clock,
        closed_plans=closed_plans,
        waiting=waiting,
        unreadable_as_outage=unreadable_as_outage,
        peppers=settings.SERVICE_KEY_PEPPERS,
        store=store,
    )
    port = port or free_port()
    ended = threading.Event()
    serving = threading.Thread(target=asyncio.run, args=(_serve(front, port, ended),))
    serving.start()
    try:
        wait_until(lambda: _takes_connections(port), "the check takes connections")
        yield Served(front, port)
    finally:
        ended.set()
        serving.join()


async def _serve(front: CheckApp, port: int, ended: threading.Event) -> None:
    server = Server(
        front,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        backpressure=4096,
        log_enabled=False,
    )
    serving = asyncio.create_task(server.serve())
    await asyncio.to_thread(ended.wait)
    server.stop()  # type: ignore[no-untyped-call]
    await serving


def _takes_connections(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
