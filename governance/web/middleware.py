from collections.abc import Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django_htmx.http import HttpResponseClientRedirect

# What a page asks now and then without anybody's doing: that must not take away the page, with what was typed into it.
ASKED_BY_ITSELF: Final = {"alarm", "force"}


class HtmxSignInMiddleware:
    """A session that ended under an open page leads to the sign-in page, not to a sign-in form inside the queue."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        location = response.headers.get("Location", "")
        if getattr(request, "htmx", False) and location.startswith(str(settings.LOGIN_URL)):
            if request.htmx.target in ASKED_BY_ITSELF:  # type: ignore[attr-defined]
                return HttpResponse(status=HTTPStatus.NO_CONTENT)
            page = urlencode({REDIRECT_FIELD_NAME: request.htmx.current_url_abs_path or "/"})  # type: ignore[attr-defined]
            return HttpResponseClientRedirect(f"{settings.LOGIN_URL}?{page}")
        return response
