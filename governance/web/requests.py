"""A request by somebody who is signed in."""

from typing import cast
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails

from governance.staff.models import User


def page_of(htmx: HtmxDetails) -> str:
    """The path and query of the page that asks by htmx; empty where its address cannot be read or is not ours."""
    try:
        return htmx.current_url_abs_path or ""
    except ValueError:
        return ""


class StaffRequest(HttpRequest):
    """The signed-in user: the middleware lets no other request through."""

    user: User
    htmx: HtmxDetails


def sending_page(request: HttpRequest) -> str:
    """Return the path of the page that sent the request, or `/` where that is unknown or another site's."""
    htmx = cast("StaffRequest", request).htmx
    if htmx:
        return page_of(htmx) or "/"
    referrer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referrer, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    return urlsplit(referrer)._replace(scheme="", netloc="", fragment="").geturl() or "/"
