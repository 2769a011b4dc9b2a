"""WSGI: `app = StillwatchMiddleware(app, gateway)`, for Flask, Django and all others."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from stillwatch_gateway.asgi import Identify
from stillwatch_gateway.client import Gateway
from stillwatch_gateway.keys import UnreadableKeysError, by_key
from stillwatch_gateway.refusals import RateLimiter, enforce, unreadable_keys_refusal


class StillwatchMiddleware:
    """As in `stillwatch_gateway.asgi`; what is in force is passed on as `environ["stillwatch"]`."""

    def __init__(
        self,
        app: Callable[..., Iterable[bytes]],
        gateway: Gateway,
        identify: Identify = by_key,
        limiter: RateLimiter | None = None,
    ) -> None:
        self._app, self._gateway, self._identify, self._limiter = app, gateway, identify, limiter or RateLimiter()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        try:
            decision = self._gateway.decide(**self._identify(headers))
            instead = enforce(decision, self._limiter)
        except UnreadableKeysError as error:
            instead = unreadable_keys_refusal(str(error))
        if instead is None:
            environ["stillwatch"] = decision
            return self._app(environ, start_response)
        status = HTTPStatus(instead.status)
        start_response(f"{status.value} {status.phrase}", instead.headers)
        return [instead.body]
