"""ASGI: `app = StillwatchMiddleware(app, gateway)`, for FastAPI, Starlette and all others."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from stillwatch_gateway.client import Gateway
from stillwatch_gateway.keys import UnreadableKeysError, by_key
from stillwatch_gateway.refusals import RateLimiter, RefusalResponse, enforce, unreadable_keys_refusal

Identify = Callable[[Mapping[str, str]], Mapping[str, Any]]


class StillwatchMiddleware:
    """Refuses restricted customers before the application sees them; holds throttled ones to their limit.

    `identify` names the customer from the headers of a request, for `Gateway.decide`; without it the API key does. The
    names of headers are in lower case, and several values of one header are joined with commas, as WSGI servers do.
    What is in force is passed on as `scope["stillwatch"]`, so that the application can withhold what is to be withheld.
    """

    def __init__(
        self,
        app: Callable[..., Awaitable[None]],
        gateway: Gateway,
        identify: Identify = by_key,
        limiter: RateLimiter | None = None,
    ) -> None:
        self._app, self._gateway, self._identify, self._limiter = app, gateway, identify, limiter or RateLimiter()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        try:
            decision = self._gateway.decide(**self._identify(headers))
            instead = enforce(decision, self._limiter)
        except UnreadableKeysError as error:
            instead = unreadable_keys_refusal(str(error))
        if instead is None:
            await self._app({**scope, "stillwatch": decision}, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _answer(send, instead)


async def _answer(send: Any, refusal: RefusalResponse) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in refusal.headers]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": refusal.body})
