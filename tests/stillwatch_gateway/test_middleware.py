"""The gateway's client around an application: ASGI and WSGI."""

import asyncio
import json
from typing import Any

import pytest

from stillwatch_gateway import Gateway, asgi, wsgi
from stillwatch_gateway.refusals import RateLimiter
from tests.stillwatch_gateway.customers import front, gateway

__all__ = ["front", "gateway"]  # fixtures


def by_wsgi(gateway: Gateway) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"served"]

    guarded = wsgi.StillwatchMiddleware(application, gateway, limiter=RateLimiter(clock=lambda: 0.0))

    def ask(*secrets: str, **headers: str) -> tuple[int, bytes]:
        statuses: list[int] = []
        environ = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        if secrets:
            environ["HTTP_AUTHORIZATION"] = ",".join(f"Bearer {secret}" for secret in secrets)
        body = guarded(environ, lambda status, _: statuses.append(int(status[:3])))
        return statuses[0], b"".join(body)

    return ask


def by_asgi(gateway: Gateway) -> Any:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"served"})

    guarded = asgi.StillwatchMiddleware(application, gateway, limiter=RateLimiter(clock=lambda: 0.0))

    def ask(*secrets: str, **headers: str) -> tuple[int, bytes]:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        lines = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
        lines += [(b"Authorization", f"Bearer {secret}".encode()) for secret in secrets]
        scope = {"type": "http", "headers": lines}
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

    def test_holds_all_keys_of_a_throttled_customer_to_one_limit(self, gateway: Gateway, by: Any) -> None:
        ask = by(gateway)

        assert [ask(secret)[0] for secret in ("sk-slow", "sk-slow-too", "sk-slow")] == [200, 200, 429]

    def test_counts_customers_of_one_restricted_organisation_each_by_themselves(
        self, gateway: Gateway, by: Any
    ) -> None:
        ask = by(gateway)

        assert [ask("sk-quay-2")[0] for _ in range(3)] == [200, 200, 429]
        assert [ask("sk-quay-1")[0] for _ in range(2)] == [200, 429]

    def test_leaves_each_account_of_a_throttled_organisation_the_whole_limit(self, gateway: Gateway, by: Any) -> None:
        ask = by(gateway)

        assert [ask("sk-mole-1")[0] for _ in range(3)] == [200, 200, 429]
        assert [ask("sk-mole-2")[0] for _ in range(3)] == [200, 200, 429]

    def test_counts_a_customer_of_a_throttled_organisation_once_whatever_other_keys_are_shown(
        self, gateway: Gateway, by: Any
    ) -> None:
        ask = by(gateway)

        assert [ask(authorization=f"junk{n}", x_api_key="sk-mole-1")[0] for n in range(3)] == [200, 200, 429]
        assert ask(f"junk-{3}", "sk-mole-1")[0] == ask("sk-mole-1")[0] == 429

    @pytest.mark.parametrize("secrets", [("sk-blocked", "sk-good"), ("sk-good", "sk-blocked")])
    def test_refuses_a_request_with_two_keys_of_which_one_is_blocked(
        self, gateway: Gateway, by: Any, secrets: tuple[str, ...]
    ) -> None:
        ask = by(gateway)

        assert ask(*secrets)[0] == 403
        assert ask(secrets[0], x_api_key=secrets[1])[0] == 403
        assert ask(x_api_key=",".join(secrets))[0] == 403
        assert ask(authorization=f"Token {secrets[0]}", x_api_key=f"Bearer Bearer {secrets[1]}")[0] == 403
        assert ask(authorization=f"BEARER\t{secrets[0]} , bearer   {secrets[1]}")[0] == 403

    def test_refuses_a_blocked_key_with_anything_around_it(self, gateway: Gateway, by: Any) -> None:
        ask = by(gateway)
        ways = ["Bearer sk-blocked x", "Bearer sk-blocked;", 'Bearer "sk-blocked"', "Bearer:sk-blocked",
                "Bearer=sk-blocked", "Bearer sk,comma,Bearer sk-good", "sk-good,sk,comma"]  # fmt: skip

        assert {way: ask(authorization=way)[0] for way in ways} == dict.fromkeys(ways, 403)
        assert {way: ask("sk-good", x_api_key=way)[0] for way in ways} == dict.fromkeys(ways, 403)
        assert ask("sk,comma", "sk-good")[0] == 403

    def test_refuses_more_words_than_are_looked_at(self, gateway: Gateway, by: Any) -> None:
        status, body = by(gateway)(authorization="Bearer " + "x " * 64 + "sk-good")

        assert status == 400
        assert "more than 64 words" in json.loads(body)["error"]["message"]


@pytest.mark.parametrize(
    ("scope", "reached", "sent"),
    [
        ({"type": "lifespan"}, True, []),
        ({"type": "websocket", "headers": [(b"authorization", b"Bearer sk-good")]}, True, []),
        (
            {"type": "websocket", "headers": [(b"authorization", b"Bearer sk-blocked")]},
            False,
            [{"type": "websocket.close", "code": 1008}],
        ),
    ],
)
def test_of_asgi_closes_the_websockets_of_the_blocked_and_leaves_alone_what_is_no_request(
    gateway: Gateway, scope: dict[str, Any], sent: list[Any], *, reached: bool
) -> None:
    heard, seen = [], []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    async def send(message: Any) -> None:
        heard.append(message)

    asyncio.run(asgi.StillwatchMiddleware(application, gateway)(scope, None, send))

    assert (seen, heard) == ([scope["type"]] if reached else [], sent)
