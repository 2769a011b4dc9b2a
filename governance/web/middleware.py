from codecs import lookup
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils import timezone

from governance.staff.models import User
from governance.staff.sessions import record_use
from governance.web.api_responses import is_for_machines
from governance.web.problems import problem
from governance.web.requests import StaffRequest, sending_page

SESSION_ENDED: Final = "ended"  # in the query of the sign-in page: say that a session ended
USED: Final = "X-Stillwatch-Used"  # sent by static/session.js: somebody typed or clicked since the request before
SAFE_METHODS: Final = {"GET", "HEAD"}
FORM: Final = "application/x-www-form-urlencoded"
UTF_8: Final = "utf-8"


class RefuseUnreadableMiddleware:
    """Refuses what would be read as something else, or not at all: a NUL in an address or a cookie, since PostgreSQL
    stores no such text, and a form that is said not to be UTF-8, as which everything is read here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not (detail := _why_unreadable(request)):
            return self.get_response(request)
        if is_for_machines(request):
            return problem(HTTPStatus.BAD_REQUEST, "Invalid body", detail)
        return HttpResponse(f"{detail}\n", status=HTTPStatus.BAD_REQUEST, content_type="text/plain")


def _why_unreadable(request: HttpRequest) -> str:
    """Return why, or an empty string."""
    query = str(request.META.get("QUERY_STRING", ""))
    if "\0" in request.path_info or "%00" in query or "\0" in query or "\0" in "".join(request.COOKIES.values()):
        return "A NUL character has no place in an address or a cookie."
    if request.content_type == FORM and _charset(request) != UTF_8:
        return "Send a form as UTF-8."
    return ""


def _charset(request: HttpRequest) -> str:
    """Return the charset that the request says its body has: UTF-8 where it says none that there is."""
    try:
        return lookup((request.content_params or {}).get("charset", UTF_8)).name
    except LookupError:
        return UTF_8


class SessionMiddleware:
    """Keep open pages usable when the session under them ends or their CSRF token is replaced.

    Every answer to htmx names the signed-in user and a valid CSRF token: static/session.js keeps the page's token
    current and warns where somebody else has signed in. Where the session ended the answer names the sign-in page,
    which leads back to the page that was open. Only what a person did, a link or a form, leads there (401); a poll
    gets nothing to show (204), since leaving the page would take away what is being typed. Nor does a poll keep a
    session going: only what somebody does on the page, which the next request says.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def process_view(self, request: StaffRequest, *_: Any) -> None:
        """Note that the session is in use, unless the request is a poll of a page that nobody touches.

        Before the view, so that nothing can fail once that has acted.
        """
        if (not request.htmx or USED in request.headers) and isinstance(request.user, User):
            record_use(request.session, now=timezone.now())

    def __call__(self, request: StaffRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.headers.get("Location", "").startswith(f"{settings.LOGIN_URL}?"):
            response = _asked_to_sign_in(request, response)
        elif request.method not in SAFE_METHODS and request.htmx:
            # The address bar must not show an address that answers to nothing but POST.
            response.headers.setdefault("HX-Push-Url", "false")
        if request.htmx and isinstance(request.user, User):  # the API leaves a service key there, or nobody
            response.headers["X-Stillwatch-User"] = str(request.user.pk)
            response.headers["X-CSRFToken"] = get_token(request)
        return response


def _asked_to_sign_in(request: StaffRequest, response: HttpResponse) -> HttpResponse:
    if not request.htmx and request.method in SAFE_METHODS:
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            response.headers["Location"] += f"&{SESSION_ENDED}=1"
        return response
    # Only pages for staff have forms or ask by htmx, so there was a session.
    query = urlencode({REDIRECT_FIELD_NAME: sending_page(request), SESSION_ENDED: "1"})
    address = f"{settings.LOGIN_URL}?{query}"
    if not request.htmx:
        response.headers["Location"] = address
        return response
    if request.htmx.boosted or request.method not in SAFE_METHODS:
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"X-Sign-In": address, "HX-Redirect": address})
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"X-Sign-In": address})
