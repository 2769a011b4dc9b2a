"""The Django admin, with Stillwatch's own sign-in and a content security policy that its front end can live with."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from unfold.sites import UnfoldAdminSite

from governance.staff.views import SignOut
from governance.web.visible import escape_invisible_lines


class AdminSite(UnfoldAdminSite):
    """The theme evaluates expressions and writes styles into its pages; only pages below /admin/ may do so."""

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:  # noqa: FBT001, FBT002 - Django's signature
        relaxed = csp_update({"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]})
        guarded: Callable[..., Any] = relaxed(super().admin_view(_with_invisible_escaped(view), cacheable))
        return guarded

    def get_urls(self) -> list[Any]:
        """Without the way from an object to its page on the site: none has one, and for UUIDs it is an error."""
        return [one for one in super().get_urls() if getattr(one, "name", "") != "view_on_site"]

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Redirect to the sign-in page. A person who is signed in and comes here lacks the role."""
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME, reverse("admin:index")))

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Answer 404 for a page that there is not, which the theme does not expect."""
        try:
            found: HttpResponse = super().search(request, extra_context)
        except (ValueError, InvalidPage) as error:
            raise Http404 from error
        return found

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Leads to the one page for that, which leaves an entry."""
        return redirect("password")

    def password_change_done(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("password")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign out as everywhere else."""
        return SignOut.as_view()(request)


def _with_invisible_escaped(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Return the view with invisible characters escaped on its page.

    On the whole page, since names of customers stand in columns, headings, breadcrumbs and details, by templates and
    functions that are not ours; what these write themselves holds no such character, and nothing is edited here.
    """

    @wraps(view)
    def written_out(*args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(*args, **kwargs)
        if isinstance(response, SimpleTemplateResponse):
            response.add_post_render_callback(_write_out)
        elif isinstance(response, HttpResponse):
            _write_out(response)
        return response

    return written_out


def _write_out(response: Any) -> None:
    if response.get("Content-Type", "").startswith("text/html"):
        response.content = escape_invisible_lines(response.content.decode(response.charset))
