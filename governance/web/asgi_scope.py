"""Read headers and the client's network from an ASGI scope."""

import io
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.handlers.asgi import ASGIRequest

from governance.staff.client_address import client_network

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def header_of(scope: Scope, name: bytes) -> str:
    """Return the first header of this name, or an empty text."""
    return next((value.decode("latin-1") for known, value in scope["headers"] if known == name), "")


def network_of(scope: Scope) -> str:
    """Return the network of the client's address."""
    # Django would refuse some queries, which say nothing about the address.
    return client_network(ASGIRequest({**scope, "query_string": b""}, io.BytesIO()))
