"""Request bodies that are sent without a length, in chunks or over HTTP/2, get one in front of Django.

Django reads nothing of a body whose length is not stated.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from django.db import DatabaseError
from django.utils import timezone

from governance.staff.actions import authenticate_service_key
from governance.web.api_responses import FOR_MACHINES
from governance.web.problems import CONTENT_TYPE
from stillwatch_gateway.keys import bearer

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

KEPT_IN_MEMORY: Final = 2**20
AGAIN_LATER: Final = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_PIECE: Final = 2**16


def is_of_unknown_length(environ: Mapping[str, Any]) -> bool:
    """Whether there may be a body that has to be read to its end; the server says that there is one."""
    if environ.get("CONTENT_LENGTH") or not environ.get("wsgi.input_terminated"):
        return False
    return "HTTP_TRANSFER_ENCODING" in environ or environ.get("SERVER_PROTOCOL", "").startswith(("HTTP/2", "HTTP/3"))


class LengthMiddleware:
    """WSGI middleware: read a body of unknown length, and say how long it is.

    Of a machine that shows no usable service key nothing is read. 413 where it has more than
    `most` bytes, which is the most that any view takes: views have limits of their own. 501 where chunks are not all
    that is to be undone.
    """

    def __init__(self, application: Application, *, most: int) -> None:
        self._application, self._most = application, most

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not is_of_unknown_length(environ):
            return self._application(environ, start_response)
        if environ["PATH_INFO"].startswith(FOR_MACHINES) and not _shows_key(environ):
            # Which is answered by the view, that says who may send.
            return self._application(environ | {"wsgi.input": BytesIO(), "CONTENT_LENGTH": "0"}, start_response)
        coding = environ.pop("HTTP_TRANSFER_ENCODING", "chunked").strip().lower()
        if coding != "chunked":
            return problem_answer(start_response, HTTPStatus.NOT_IMPLEMENTED, "Send the body as it is, or in chunks.")
        with SpooledTemporaryFile(KEPT_IN_MEMORY) as body:
            length = _copy(environ["wsgi.input"], body, self._most)
            if length > self._most:
                return problem_answer(
                    start_response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Send at most {self._most} bytes."
                )
            body.seek(0)
            environ |= {"CONTENT_LENGTH": str(length), "wsgi.input": body}
            return self._application(environ, start_response)


def _shows_key(environ: Mapping[str, Any]) -> bool:
    secret = bearer(environ.get("HTTP_AUTHORIZATION", ""))
    try:
        return secret is not None and authenticate_service_key(secret, now=timezone.now()) is not None
    except DatabaseError:  # the view answers that
        return False


def _copy(source: IO[bytes], target: IO[bytes], most: int) -> int:
    """How many bytes there were; reads on a little after `most` and no further."""
    length = 0
    while length <= most and (piece := source.read(_PIECE)):
        length += len(piece)
        target.write(piece)
    return length


def problem_answer(start_response: Callable[..., Any], status: HTTPStatus, detail: str) -> list[bytes]:
    """Answer a WSGI request with problem details."""
    body = json.dumps(
        {"type": "about:blank", "status": status.value, "title": status.phrase, "detail": detail}
    ).encode()
    headers = [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    if status in AGAIN_LATER:
        headers.append(("Retry-After", "1"))
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]
