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
from governance.usage.actions import IntakeResult, accepted_times, record_events
from governance.usage.backpressure import excess_lag
from governance.usage.descriptions import describe_events, describe_litellm, describe_traces
from governance.usage.intake import Sender
from governance.usage.last_usage import record_last_usage
from governance.usage.request_body import MAX_BYTES, MAX_BYTES_INFLATED, drain_body, read_body
from governance.usage.sources import litellm, otlp
from governance.usage.sources.opentelemetry import events_from_export
from governance.usage.wire import Rejection, Report, UnreadableBatchError, UsageEvent, decode_events, split_batch
from governance.web.authentication import acting_key
from governance.web.problems import Problem

MAX_EVENTS = 10_000
RETRY_AFTER_LAG_SECONDS = 30
RETRY_AFTER_NEW_NAMES = 300


class IntakeView(APIView):
    """What every source has in common: the scope, and when a gateway is to come again."""

    scopes: ClassVar = {"POST": ServiceKey.Scope.USAGE_WRITE}
    throttle_classes = ()  # see governance/web/rate_limits.py
    behind_status = HTTPStatus.TOO_MANY_REQUESTS
    most_bytes = MAX_BYTES

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if waited := excess_lag(now=timezone.now()):
            detail = f"Scoring is {waited.total_seconds():.0f} seconds behind; send this again later."
            raise Problem(self.behind_status, "Scoring is behind", detail, wait=RETRY_AFTER_LAG_SECONDS)

    def handle_exception(self, exc: Exception) -> Response:
        if getattr(self.request, "successful_authenticator", None) is not None:
            drain_body(self.request, most=self.most_bytes)
        return super().handle_exception(exc)


class UsageEventsView(IntakeView):
    """`POST /api/v1/usage-events`: one JSON object a line, or `{"events": [...]}`; plain, gzip or zstd.

    202 once the good events are committed, whatever the others were; the answer counts accepted, duplicate and
    rejected and names each rejected line and why.
    """

    @describe_events
    def post(self, request: Request) -> Response:
        body, now = read_body(request, most=self.most_bytes), timezone.now()
        ndjson = "ndjson" in (request.content_type or "")
        if ndjson:  # before there is a line of each
            raise_if_too_many_events(body.count(b"\n"))
        try:
            lines = split_batch(body, ndjson=ndjson)
        except UnreadableBatchError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, "Invalid body", str(error)) from error
        raise_if_too_many_events(len(lines))
        outcome = record_batch(request, decode_events(lines, span=accepted_times(now)), source="native", now=now)
        return batch_response(outcome, too_many=self.behind_status)


class LiteLlmUsageView(IntakeView):
    """`POST /api/v1/sources/litellm`: what LiteLLM's `generic_api` callback sends, in any of its formats.

    Answers as `UsageEventsView` does.
    """

    behind_status = HTTPStatus.SERVICE_UNAVAILABLE  # LiteLLM drops a batch that is answered with 429
    most_bytes = MAX_BYTES_INFLATED  # it compresses nothing, and a batch of 512 requests may hold long prompts

    @describe_litellm
    def post(self, request: Request) -> Response:
        body, now = read_body(request, most=self.most_bytes), timezone.now()
        try:
            items = list(islice(litellm.events_from_batch(body, span=accepted_times(now)), MAX_EVENTS + 1))
        except UnreadableBatchError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, "Invalid body", str(error)) from error
        raise_if_too_many_events(len(items))
        return batch_response(record_batch(request, items, source="litellm", now=now), too_many=self.behind_status)


class OpenTelemetryTracesView(IntakeView):
    """`POST /v1/traces`: spans by OTLP over HTTP, protobuf or JSON; plain, gzip or zstd.

    200 once the events of the good spans are committed; `partial_success` counts the others and says why. Refusals
    are a google.rpc.Status. Both are in the encoding of the request, whatever it says it accepts.
    """

    @describe_traces
    def post(self, request: Request) -> HttpResponse:
        encoding = _encoding(request)
        if encoding not in {otlp.PROTOBUF, otlp.JSON}:
            detail = f"Send {otlp.PROTOBUF} or {otlp.JSON}."
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unknown format", detail)
        body, now, protobuf = read_body(request, most=self.most_bytes), timezone.now(), encoding == otlp.PROTOBUF
        try:
            items = list(islice(events_from_export(body, protobuf=protobuf, span=accepted_times(now)), MAX_EVENTS + 1))
        except UnreadableBatchError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, "Invalid body", str(error)) from error
        raise_if_too_many_events(len(items))
        outcome = record_batch(request, items, source="opentelemetry", now=now)
        raise_if_events_held(outcome, self.behind_status)
        return HttpResponse(otlp.encode_success(outcome.rejected, protobuf=protobuf), content_type=encoding)

    def handle_exception(self, exc: Exception) -> Response:
        refused = super().handle_exception(exc)
        protobuf = _encoding(self.request) == otlp.PROTOBUF
        refused.content = otlp.encode_error(refused.data["detail"], protobuf=protobuf)
        refused["Content-Type"] = otlp.PROTOBUF if protobuf else otlp.JSON
        return refused

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002 - REST framework's signature
        return super().perform_content_negotiation(request, force=True)


def _encoding(request: Request) -> str:
    return (request.content_type or "").partition(";")[0].strip().lower()


def record_batch(
    request: Request, items: Iterable[UsageEvent | Report | Rejection], *, source: str, now: datetime
) -> IntakeResult:
    """Record a batch, and note with which service key it came."""
    key = acting_key(request)
    sender = Sender(key.actor, key.pk, ties_keys=ServiceKey.Scope.USAGE_KEYS in key.scopes)
    outcome = record_events(items, source=source, now=now, sender=sender)
    record_last_usage(key.pk, outcome.newest_at, now=now)
    return outcome


def raise_if_events_held(outcome: IntakeResult, status: HTTPStatus) -> None:
    """Where events wait, have the whole batch sent again: what was taken of it is known by its ids."""
    if outcome.held:
        most = settings.NEW_NAMES_AN_HOUR
        detail = (
            f"{outcome.held} events bring in more new accounts, keys and organisations than the {most} that a service "
            "key may in an hour. The others were taken. Import these customers with the register, or send the batch "
            "again later."
        )
        raise Problem(status, "Too many new names", detail, wait=RETRY_AFTER_NEW_NAMES, **batch_summary(outcome))


def raise_if_too_many_events(events: int) -> None:
    if events > MAX_EVENTS:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too many events", f"Send at most {MAX_EVENTS} events at once."
        )


def batch_response(outcome: IntakeResult, *, too_many: HTTPStatus) -> Response:
    """What every source answers once its good events are committed; `too_many` where some have to wait."""
    raise_if_events_held(outcome, too_many)
    return Response(batch_summary(outcome), status=HTTPStatus.ACCEPTED)


def batch_summary(outcome: IntakeResult) -> dict[str, Any]:
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
