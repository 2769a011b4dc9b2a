import sys
from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.views import defaults
from django.views.decorators.http import require_safe

from governance.platform.transactions import is_lock_timeout, is_unavailable
from governance.web.api_responses import is_for_machines
from governance.web.glossary import GLOSSARY
from governance.web.problem_types import PROBLEM_TYPES
from governance.web.problems import problem, unavailable_problem
from governance.web.requests import sending_page


@login_not_required
@require_safe
def health(_request: HttpRequest) -> HttpResponse:
    """200 when this process answers and reaches the database; an error says that it does not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def words(request: HttpRequest) -> HttpResponse:
    """What the words of the pages mean."""
    return render(request, "shell/words.html", {"glossary": GLOSSARY})


@login_not_required
@require_safe
def problems(request: HttpRequest) -> HttpResponse:
    """What each kind of problem of the API means: the `type` of an error leads here."""
    return render(request, "shell/problems.html", {"problem_types": PROBLEM_TYPES})


def server_error(request: HttpRequest) -> HttpResponse:
    """503 where the database did not answer, or not in time; else 500. Django calls this while it handles the error."""
    error = sys.exception()
    if error is None or not is_unavailable(error):
        return defaults.server_error(request)
    refused = unavailable_problem(error)
    if is_for_machines(request):
        return problem(refused.status_code, refused.title, str(refused.detail), wait=refused.wait)
    page = loader.render_to_string("503.html", {"busy": is_lock_timeout(error)})
    return HttpResponse(page, status=refused.status_code, headers={"Retry-After": str(refused.wait)})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - passed by Django
    """Refuse a form whose CSRF token is out of date, as after somebody signed in again in another tab.

    htmx sends the form again with the token that the answer brings; a page without JavaScript is asked to go back.
    Without a session there is nothing to send again until somebody has signed in.
    """
    if not request.user.is_authenticated and request.path != str(settings.LOGIN_URL):
        return redirect_to_login(request.get_full_path())
    response = render(request, "403_csrf.html", {"page": sending_page(request)}, status=HTTPStatus.FORBIDDEN)
    response.headers["X-CSRF-Failed"] = "true"
    return response
