"""An id for each request: in its answer, and in the lines of the log that are written while it is answered."""

import logging
import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final
from uuid import uuid4

from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER: Final = "X-Request-Id"
# Of callers who give one themselves: nothing that could be read as another line of the log.
_USABLE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_current: ContextVar[str] = ContextVar("request_id", default="")


class RequestIdMiddleware:
    """The outermost middleware, so that every answer of Django has the id that its lines of the log have."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        request_id = given if _USABLE.fullmatch(given) else uuid4().hex
        _current.set(request_id)
        response = self.get_response(request)
        response.headers[HEADER] = request_id
        return response


# Not at the end of the middleware: that an answer is an error is logged after it, and a body may be read after that.
@receiver(request_finished)
def forget_request_id(**_: object) -> None:
    _current.set("")


class WithRequestId(logging.Filter):
    """Gives each line of the log the id of the request that is being answered, in brackets; blank for other lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        request_id = _current.get()
        record.of_request = f"[{request_id}] " if request_id else ""
        return True
