"""A WSGI application that answers nothing: what the web server itself takes for a request."""

from collections.abc import Callable
from typing import Any


def application(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("204 No Content", [])
    return [b""]
