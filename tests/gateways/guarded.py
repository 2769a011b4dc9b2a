"""An application behind the client's middlewares, for a real server: it serves whom it knows by a key of KEYS.

As an application may, it takes any of several keys, and does not care how the scheme is written.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any, Final

from stillwatch_gateway import Gateway
from stillwatch_gateway.asgi import StillwatchMiddleware as AsgiStillwatch
from stillwatch_gateway.wsgi import StillwatchMiddleware as WsgiStillwatch

KEYS: Final = ("sk-good", "sk-harvester")

gateway = Gateway(os.environ["STILLWATCH_URL"], os.environ["STILLWATCH_KEY"], os.environ["STILLWATCH_FOLDER"])
gateway.start(wait=60)


def _keys(authorization: list[str], api_keys: list[str]) -> list[str]:
    """Those of them that are known, by every value of the two headers."""
    shown = [value.strip() for values in (authorization, api_keys) for one in values for value in one.split(",")]
    words = [
        word for value in shown for word in value.split() if value.split()[0].lower() == "bearer" or " " not in value
    ]
    return [key for key in KEYS if key in words]


async def _asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    # What is not read when the connection closes resets it, and takes the answer along.
    while (await receive()).get("more_body"):
        pass
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    keys = _keys(*([value for name, value in headers if name == wanted] for wanted in ("authorization", "x-api-key")))
    body = ",".join(keys).encode()
    await send({"type": "http.response.start", "status": 200 if keys else 401, "headers": []})
    await send({"type": "http.response.body", "body": body})


def _wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["wsgi.input"].read()
    keys = _keys([environ.get("HTTP_AUTHORIZATION", "")], [environ.get("HTTP_X_API_KEY", "")])
    start_response("200 OK" if keys else "401 Unauthorized", [])
    return [",".join(keys).encode()]


asgi = AsgiStillwatch(_asgi, gateway)
wsgi = WsgiStillwatch(_wsgi, gateway)
