"""Headers and error format of every API response, whichever part of Django made it."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from governance.web.problems import problem
from governance.web.rate_limits import LEFT

FOR_MACHINES: Final = ("/api/", "/v1/", "/taxii2/")
DETAILS: Final = {
    HTTPStatus.BAD_REQUEST: "The request cannot be read.",
    HTTPStatus.FORBIDDEN: "This is not allowed.",
    HTTPStatus.NOT_FOUND: "Nothing was found at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not allow this method.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request is too large.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong here; it has been logged. Send the request again later.",
}


def is_for_machines(request: HttpRequest) -> bool:
    """Return True if a machine asks, so that the answer must not be a page."""
    return f"{request.path_info}/".startswith(FOR_MACHINES)


class ApiResponseMiddleware:
    """Turn pages that say an error into problem details (RFC 9457), and forbid caches to store any answer.

    The outermost middleware: errors come from Django's URL map, its request parsing and its other middleware too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not is_for_machines(request):
            return response
        if response.status_code >= HTTPStatus.BAD_REQUEST and _is_page(response):
            response = _as_problem(response)
        response.headers["Cache-Control"] = "no-store"
        if (limit := request.META.get(LEFT)) is not None:
            for name, value in limit.headers().items():
                response.headers[name] = value
        return response


def _is_page(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "text/html").startswith(("text/html", "text/plain"))


def _as_problem(page: HttpResponseBase) -> HttpResponse:
    status = HTTPStatus(page.status_code)
    answer = problem(status, status.phrase, DETAILS.get(status, status.description or status.phrase))
    for name, value in page.headers.items():
        if name not in {"Content-Type", "Content-Length"}:
            answer.headers[name] = value
    answer.cookies = page.cookies
    return answer
