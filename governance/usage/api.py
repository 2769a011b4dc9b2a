"""Usage from gateways."""

from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from itertools import islice
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.staff.models import ServiceKey
from governance.usage.actions import Outcome, Sender, record_events, span_at
from governance.usage.backpressure import behind
from governance.usage.body import MOST_BYTES, MOST_BYTES_INFLATED, drain, received
from governance.usage.sources import litellm, otlp
from governance.usage.sources.opentelemetry import events_in
from governance.usage.traffic import note_traffic
from governance.usage.wire import Rejection, Report, UnreadableBatchError, UsageEvent, decode, lines_of
from governance.web.authentication import acting_key
from governance.web.problems import Problem

MOST_EVENTS = 10_000
RETRY_AFTER_LAG_SECONDS = 30
RETRY_AFTER_NEWCOMERS = 300


class Intake(APIView):
    """What every source has in common: the scope, and when a gateway is to come again."""

    scopes: ClassVar = {"POST": ServiceKey.Scope.USAGE_WRITE}
    behind_status = HTTPStatus.TOO_MANY_REQUESTS
    most_bytes = MOST_BYTES

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if waited := behind(now=timezone.now()):
            detail = f"Scoring is {waited.total_seconds():.0f} seconds behind; send this again later."
            raise Problem(self.behind_status, "Scoring is behind", detail, wait=RETRY_AFTER_LAG_SECONDS)

    def handle_exception(self, exc: Exception) -> Response:
        if getattr(self.request, "successful_authenticator", None) is not None:
            drain(self.request, most=self.most_bytes)
        return super().handle_exception(exc)


class UsageEvents(Intake):
    """`POST /api/v1/usage-events`: one JSON object a line, or `{"events": [...]}`; plain, gzip or zstd.

    202 once the good events are committed, whatever the others were; the answer counts accepted, duplicate and
    rejected and names each rejected line and why.
    """

    def post(self, request: Request) -> Response:
        body, now = received(request, most=self.most_bytes), timezone.now()
        ndjson = "ndjson" in (request.content_type or "")
        if ndjson:  # before there is a line of each
            refuse_too_many(body.count(b"\n"))
        try:
            lines = lines_of(body, ndjson=ndjson)
        except UnreadableBatchError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, "Invalid body", str(error)) from error
        refuse_too_many(len(lines))
        outcome = take_in(request, decode(lines, span=span_at(now)), source="native", now=now)
        return counted(outcome, too_many=self.behind_status)


class LiteLlmUsage(Intake):
    """`POST /api/v1/sources/litellm`: what LiteLLM's `generic_api` callback sends, in any of its formats.

    Answers as `UsageEvents` does.
    """

    behind_status = HTTPStatus.SERVICE_UNAVAILABLE  # LiteLLM drops a batch that is answered with 429
    most_bytes = MOST_BYTES_INFLATED  # it compresses nothing, and a batch of 512 requests may hold long prompts

    def post(self, request: Request) -> Response:
        body, now = received(request, most=self.most_bytes), timezone.now()
        try:
            items = list(islice(litellm.events_in(body, span=span_at(now)), MOST_EVENTS + 1))
        except UnreadableBatchError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, "Invalid body", str(error)) from error
        refuse_too_many(len(items))
        return counted(take_in(request, items, source="litellm", now=now), too_many=self.behind_status)


class OpenTelemetryTraces(Intake):
    """`POST /v1/traces`: spans by OTLP over HTTP, protobuf or JSON; plain, gzip or zstd.

    200 once the events of the good spans are committed; `partial_success` counts the others and says why. Refusals
    are a google.rpc.Status. Both are in the encoding of the request, whatever it says it accepts.
    """

    def post(self, request: Request) -> HttpResponse:
        encoding = _encoding(request)
        if encoding not in {otlp.PROTOBUF, otlp.JSON}:
            detail = f"Send {otlp.PROTOBUF} or {otlp.JSON}."
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unknown format", detail)
        body, now, protobuf = received(request, most=self.most_bytes), timezone.now(), encoding == otlp.PROTOBUF
        try:
            items = list(islice(events_in(body, protobuf=protobuf, span=span_at(now)), MOST_EVENTS + 1))
        except UnreadableBatchError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, "Invalid body", str(error)) from error
        refuse_too_many(len(items))
        outcome = take_in(request, items, source="opentelemetry", now=now)
        refuse_newcomers(outcome, self.behind_status)
        return HttpResponse(otlp.answer(outcome.rejected, protobuf=protobuf), content_type=encoding)

    def handle_exception(self, exc: Exception) -> Response:
        refused = super().handle_exception(exc)
        protobuf = _encoding(self.request) == otlp.PROTOBUF
        refused.content = otlp.refusal(refused.data["detail"], protobuf=protobuf)
        refused["Content-Type"] = otlp.PROTOBUF if protobuf else otlp.JSON
        return refused

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002 - REST framework's signature
        return super().perform_content_negotiation(request, force=True)


def _encoding(request: Request) -> str:
    return (request.content_type or "").partition(";")[0].strip().lower()


def take_in(
    request: Request, items: Iterable[UsageEvent | Report | Rejection], *, source: str, now: datetime
) -> Outcome:
    """Record a batch, and note with which service key it came."""
    key = acting_key(request)
    sender = Sender(key.actor, key.pk, ties_keys=ServiceKey.Scope.USAGE_KEYS in key.scopes)
    outcome = record_events(items, source=source, now=now, sender=sender)
    note_traffic(key.pk, outcome.newest_at, now=now)
    return outcome


def refuse_newcomers(outcome: Outcome, status: HTTPStatus) -> None:
    """Where events wait, have the whole batch sent again: what was taken of it is known by its ids."""
    if outcome.held:
        most = settings.NEW_NAMES_AN_HOUR
        detail = (
            f"{outcome.held} events bring in more new accounts, keys and organisations than the {most} that a service "
            "key may in an hour. The others were taken. Import these customers with the register, or send the batch "
            "again later."
        )
        raise Problem(status, "Too many new names", detail, wait=RETRY_AFTER_NEWCOMERS, **answer_to(outcome))


def refuse_too_many(events: int) -> None:
    if events > MOST_EVENTS:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too many events", f"Send at most {MOST_EVENTS} events at once."
        )


def counted(outcome: Outcome, *, too_many: HTTPStatus) -> Response:
    """What every source answers once its good events are committed; `too_many` where some have to wait."""
    refuse_newcomers(outcome, too_many)
    return Response(answer_to(outcome), status=HTTPStatus.ACCEPTED)


def answer_to(outcome: Outcome) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "accepted": outcome.accepted,
        "duplicate": outcome.duplicate,
        "rejected": len(outcome.rejected),
        "rejections": [rejection._asdict() for rejection in outcome.rejected],
    }
    if outcome.conflicts:
        answer["conflicts"] = outcome.conflicts
    if outcome.held:
        answer["held"] = outcome.held
    return answer
