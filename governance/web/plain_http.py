"""Refuse API requests over plain HTTP instead of redirecting them to HTTPS.

Most clients follow a redirect without a word, so that a gateway with `http://` in its configuration would send its
service key in clear with every request, for as long as nobody looks.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest

from governance.web.api_responses import FOR_MACHINES
from governance.web.wsgi_problems import Application, problem_answer


class RefusePlainHttp:
    """WSGI middleware: answer 403 to machines over plain HTTP where Stillwatch is reached by HTTPS.

    `is_asked_by_gateways` says of a path whether gateways ask there; what is below FOR_MACHINES is refused too.
    """

    def __init__(self, application: Application, *, is_asked_by_gateways: Callable[[str], bool]) -> None:
        self._application, self._is_asked_by_gateways = application, is_asked_by_gateways

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        is_for_machines = f"{path}/".startswith(FOR_MACHINES) or self._is_asked_by_gateways(path)
        if not settings.SECURE_SSL_REDIRECT or not is_for_machines or WSGIRequest(environ).is_secure():
            return self._application(environ, start_response)
        detail = (
            f"Ask at {settings.PUBLIC_URL}: nothing is answered here over plain HTTP. A service key that was sent went "
            "over the network in clear: replace it."
        )
        return problem_answer(start_response, HTTPStatus.FORBIDDEN, detail)
