"""The gateway's client around an application: ASGI and WSGI."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from governance.enforcement.models import Restriction
from stillwatch_gateway import Gateway, asgi, wsgi
from tests.factories import account, api_key, restriction
from tests.front import Served, served


def customer(secret: str, **terms: Any) -> None:
    """Somebody whose key is registered by its digest; restricted where there are terms."""
    owner = account()
    key = api_key(owner)
    key.digest = hashlib.sha256(secret.encode()).digest()
    key.save()
    if terms:
        restriction(owner, at=timezone.now(), **terms)


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    customer("sk-good")
    customer("sk-blocked", kind=Restriction.Kind.BLOCK)
    customer("sk-slow", kind=Restriction.Kind.THROTTLE, requests_per_minute=2)
    with served() as one:
        yield one


@pytest.fixture
def gateway(front: Served, tmp_path: Path) -> Iterator[Gateway]:
    one = Gateway(front.url, front.secret, tmp_path)
    assert one.start()
    yield one
    one.close()


def by_wsgi(gateway: Gateway) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"served"]

    guarded = wsgi.Stillwatch(application, gateway)

    def ask(secret: str) -> tuple[int, bytes]:
        statuses: list[int] = []
        environ = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}
        body = guarded(environ, lambda status, _: statuses.append(int(status[:3])))
        return statuses[0], b"".join(body)

    return ask


def by_asgi(gateway: Gateway) -> Any:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"served"})

    guarded = asgi.Stillwatch(application, gateway)

    def ask(secret: str) -> tuple[int, bytes]:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "headers": [(b"Authorization", f"Bearer {secret}".encode())]}
        asyncio.run(guarded(scope, None, send))
        return sent[0]["status"], sent[1]["body"]

    return ask


@pytest.mark.parametrize("by", [by_wsgi, by_asgi])
class TestTheMiddleware:
    def test_serves_good_customers_and_refuses_blocked_ones(self, gateway: Gateway, by: Any) -> None:
        ask = by(gateway)

        status, body = ask("sk-blocked")

        assert ask("sk-good") == (200, b"served")
        assert status == 403
        assert "R-1" in json.loads(body)["error"]["message"]

    def test_holds_a_throttled_customer_to_the_limit(self, gateway: Gateway, by: Any) -> None:
        ask = by(gateway)

        assert [ask("sk-slow")[0] for _ in range(4)] == [200, 200, 429, 429]
