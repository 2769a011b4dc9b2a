"""Problem details (RFC 9457) from WSGI and ASGI middleware, where no view answers."""

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

from governance.web.problem_types import problem_type
from governance.web.problems import CONTENT_TYPE

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
AGAIN_LATER: Final = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


def problem_answer(start_response: Callable[..., Any], status: HTTPStatus, detail: str) -> list[bytes]:
    """Answer a WSGI request with problem details."""
    headers, body = problem_parts(status, detail)
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]


def problem_parts(status: HTTPStatus, detail: str) -> tuple[list[tuple[str, str]], bytes]:
    """Return the headers and the body of an answer."""
    body = json.dumps(
        {
            "type": problem_type(status, status.phrase),
            "status": status.value,
            "title": status.phrase,
            "detail": detail,
        }
    ).encode()
    headers = [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    if status in AGAIN_LATER:
        headers.append(("Retry-After", "1"))
    return headers, body
