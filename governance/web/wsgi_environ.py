"""A request as WSGI describes it (PEP 3333), made of what ASGI says about it."""

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, Final

from governance.web.asgi_scope import Scope

# Parts of files are not answered: they would have to be copied, where a whole file is sent as it is.
_LEFT_OUT: Final = {b"range", b"if-range"}
_WITHOUT_PREFIX: Final = {"CONTENT_TYPE", "CONTENT_LENGTH"}


def wsgi_environ(
    scope: Scope, body: IO[bytes] | io.RawIOBase | None, file_wrapper: Callable[..., Any]
) -> dict[str, Any]:
    """Return the `environ` of a request. Bytes are in it as PEP 3333 wants it: each one is a character of Latin-1."""
    server, client = scope.get("server") or ("localhost", 80), scope.get("client")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body or io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.file_wrapper": file_wrapper,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if client is not None:
        environ |= {"REMOTE_ADDR": client[0], "REMOTE_PORT": str(client[1])}
    for name, value in _headers(scope["headers"]):
        joint = "; " if name == "HTTP_COOKIE" else ","  # HTTP/2 sends each cookie alone
        environ[name] = f"{environ[name]}{joint}{value}" if name in environ else value
    return environ


def _headers(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[str, str]]:
    """Names with underscores are left out: WSGI cannot tell them from dashes, by which a client could set a header that
    a proxy sets.
    """
    for sent, value in headers:
        if b"_" not in sent and sent not in _LEFT_OUT:
            name = sent.decode("latin-1").upper().replace("-", "_")
            yield name if name in _WITHOUT_PREFIX else f"HTTP_{name}", value.decode("latin-1")
