"""An ASGI application that answers nothing: what the web server itself takes for a request."""

from typing import Any


async def application(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        raise NotImplementedError  # by which a server knows that there is nothing to start
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})
