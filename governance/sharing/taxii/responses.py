"""Answers of the TAXII server: its media type, its errors, and who may ask."""

from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse, QueryDict
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from governance.sharing.actions.partners import authenticate_partner
from governance.sharing.models import Partner
from governance.staff.attempts import PERIOD, Limit, count_attempt, period_start
from governance.staff.client_address import client_network
from governance.staff.models import AttemptCount

MEDIA_TYPE: Final = "application/taxii+json;version=2.1"
STIX_MEDIA_TYPE: Final = "application/stix+json;version=2.1"
REALM: Final = 'Basic realm="taxii", Bearer realm="taxii"'
# In 15 minutes: of a partner, and of a network from which tokens are tried.
REQUESTS_OF_A_PARTNER: Final = 900
WRONG_TOKENS_OF_A_NETWORK: Final = 60
READING: Final = ("GET", "HEAD")

P = ParamSpec("P")


class TaxiiRequest(NamedTuple):
    """Who asks, and for what."""

    partner: Partner
    query: QueryDict


TaxiiView = Callable[Concatenate[TaxiiRequest, P], JsonResponse]


class TaxiiError(Exception):
    """Refuses a request with an error message of the standard (section 3.6.1)."""

    def __init__(self, status: HTTPStatus, description: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(description)
        self.status, self.description, self.headers = status, description, headers or {}

    def response(self) -> JsonResponse:
        body = {"title": self.status.phrase, "description": self.description, "http_status": str(self.status.value)}
        return respond(body, status=self.status, headers=self.headers)


def respond(
    body: Mapping[str, Any], *, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> JsonResponse:
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE, headers=dict(headers or {}))


def taxii_view(view: TaxiiView[P]) -> Callable[Concatenate[HttpRequest, P], JsonResponse]:
    """Let partners with a token alone ask, for answers of TAXII 2.1, not too often; and turn errors into answers."""

    @csrf_exempt
    @login_not_required
    @wraps(view)
    def answer(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> JsonResponse:
        try:
            partner = _authenticate(request, now=timezone.now())
            _check_accept(request.headers.get("Accept", "*/*"))
            _check_method(request.method)
            return view(TaxiiRequest(partner, request.GET), *args, **kwargs)
        except TaxiiError as error:
            return error.response()

    return answer  # type: ignore[return-value] # its request has a name, by which Django does not call it


def _authenticate(request: HttpRequest, *, now: datetime) -> Partner:
    network = client_network(request)
    starts_at = period_start(now, PERIOD)
    tried = Limit(AttemptCount.Kind.PARTNER_NETWORK, network, WRONG_TOKENS_OF_A_NETWORK)
    counts = AttemptCount.objects.filter(kind=tried.kind, key=tried.key, starts_at=starts_at, count__gte=tried.most)
    if (token := _token(request.headers.get("Authorization", ""))) and not counts.exists():
        if (partner := authenticate_partner(token, now=now)) is not None:
            if count_attempt(AttemptCount.Kind.PARTNER, partner.pk.hex, starts_at) > REQUESTS_OF_A_PARTNER:
                raise _too_many()
            return partner
        if count_attempt(tried.kind, tried.key, starts_at) > tried.most:
            raise _too_many()
    elif token:
        raise _too_many()
    said = "Show the token of a partner that is neither revoked nor expired."
    raise TaxiiError(HTTPStatus.UNAUTHORIZED, said, headers={"WWW-Authenticate": REALM})


def _too_many() -> TaxiiError:
    wait = {"Retry-After": str(PERIOD // timedelta(seconds=1))}
    return TaxiiError(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests: try again later.", headers=wait)


def _token(header: str) -> str:
    """Return the token, whether it is shown as a bearer's, as clients of TAXII do, or as a password (RFC 7617)."""
    scheme, _, shown = header.partition(" ")
    match scheme.lower():
        case "bearer" | "token":
            return shown.strip()
        case "basic":
            try:
                return b64decode(shown, validate=True).decode().partition(":")[2]
            except ValueError:  # also of what is no Base64 or no UTF-8
                return ""
    return ""


def _check_method(method: str | None) -> None:
    if method not in READING:
        allowed = {"Allow": ", ".join(READING)}
        raise TaxiiError(HTTPStatus.METHOD_NOT_ALLOWED, "This server is only read.", headers=allowed)


def _check_accept(header: str) -> None:
    for accepted in header.split(","):
        kind, *parameters = [part.strip().lower() for part in accepted.split(";")]
        versions = [one.partition("=")[2].strip('" ') for one in parameters if one.startswith("version")]
        if kind in {"*/*", "application/*"} or (kind == "application/taxii+json" and versions in ([], ["2.1"])):
            return
    raise TaxiiError(HTTPStatus.NOT_ACCEPTABLE, f"This server answers as {MEDIA_TYPE}.")
