"""Errors of the API as problem details (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, JsonResponse
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.exceptions import PermissionDenied as Forbidden
from rest_framework.response import Response
from rest_framework.views import exception_handler

from governance.platform.transactions import is_lock_timeout, is_unavailable
from governance.web.problem_types import problem_type

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5


class Problem(APIException):
    """Refuses a request: `status` for machines, `title` and `detail` for people, `members` for both.

    `wait` are the seconds after which to try again; REST framework says them as Retry-After.
    """

    def __init__(self, status: int, title: str, detail: str, *, wait: int | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status_code = status
        self.title = title
        self.wait = wait
        self.members = members


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's handler with its answers put into the standard form; unknown errors stay errors."""
    if isinstance(error, Http404):
        error = NotFound()
    elif isinstance(error, PermissionDenied):
        error = Forbidden()
    elif is_unavailable(error):
        error = unavailable_problem(error)
    response = exception_handler(error, context)
    if response is None or not isinstance(error, APIException):
        return None
    said: dict[str, Any]
    if isinstance(error, Problem):
        said = {"title": error.title, "detail": str(error.detail), **error.members}
    elif isinstance(error, ValidationError):
        said = {"title": "Invalid request", "errors": error.detail}
    else:
        said = {"title": HTTPStatus(response.status_code).phrase, "detail": str(error.detail)}
    kind = problem_type(response.status_code, said["title"])
    response.data = {"type": kind, "status": response.status_code, **said}
    response.content_type = CONTENT_TYPE
    return response


def unavailable_problem(error: BaseException) -> Problem:
    """What is answered where the database did not, or where another transaction held a lock for too long."""
    busy = is_lock_timeout(error)
    why = "Another transaction held the same rows for too long" if busy else "The database does not answer"
    title = "Busy" if busy else "Unavailable"
    detail = f"{why}; nothing was saved. Send the request again."
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, title, detail, wait=RETRY_AFTER_SECONDS)


def problem(status: int, title: str, detail: str, *, wait: int | None = None) -> JsonResponse:
    """The same form for what is answered outside of REST framework."""
    body = {"type": problem_type(status, title), "status": status, "title": title, "detail": detail}
    headers = {"Retry-After": str(wait)} if wait else None
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE, headers=headers)
