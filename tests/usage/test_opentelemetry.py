"""`POST /v1/traces` as exporters use it."""

import gzip
import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
import zstandard
from django.db import OperationalError
from django.test import Client
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext
from pytest_django.live_server_helper import LiveServer

from governance.usage import api
from governance.usage.actions import record_events
from governance.usage.models import UsageEvent
from governance.web import problems
from tests.factories import NOW, service_key
from tests.usage.spans import JSON, PROTOBUF, another_span, encoded, export, rejected, send, span

BOTH = pytest.mark.parametrize("encoding", [JSON, PROTOBUF])
REQUEST: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "flagship-2",
    "gen_ai.usage.input_tokens": 812,
    "gen_ai.usage.output_tokens": 1403,
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Hello."}]}]),
}


@pytest.fixture
def _at_the_time_of_the_spans() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_the_time_of_the_spans")
class TestSendingSpans:
    @BOTH
    @pytest.mark.parametrize(
        ("compression", "pack"),
        [("identity", bytes), ("gzip", gzip.compress), ("zstd", zstandard.compress)],
    )
    def test_stores_a_usage_event_of_each_request(
        self, client: Client, encoding: str, compression: str, pack: Any
    ) -> None:
        body = encoded(export(span(), span(), another_span({"http.request.method": "GET"})), encoding)

        response = send(client, pack(body), encoding, HTTP_CONTENT_ENCODING=compression)

        assert (response.status_code, response["Content-Type"], rejected(response)) == (200, encoding, (0, ""))
        assert {event.source for event in UsageEvent.objects.all()} == {"opentelemetry"}
        assert UsageEvent.objects.count() == 2

    def test_adds_nothing_when_the_same_export_comes_again_in_the_other_encoding(self, client: Client) -> None:
        whole = export(span(), span())
        send(client, encoded(whole, PROTOBUF), PROTOBUF)

        response = send(client, encoded(whole, JSON), JSON)

        assert rejected(response) == (0, "")
        assert UsageEvent.objects.count() == 2

    @BOTH
    def test_counts_bad_spans_explains_them_and_stores_the_others(self, client: Client, encoding: str) -> None:
        nameless = {"stillwatch.account": None}
        whole = export(span(), span(nameless), span({"gen_ai.usage.input_tokens": -1}), span(nameless))

        response = send(client, encoded(whole, encoding), encoding)

        assert (response.status_code, UsageEvent.objects.count()) == (200, 1)
        count, why = rejected(response)
        assert count == 3
        assert why.startswith(
            "2 × no account: set the attribute stillwatch.account (first: span 2); 1 × input_tokens must"
        )

    @pytest.mark.parametrize(("encoding", "empty"), [(JSON, b"{}"), (PROTOBUF, b"")])
    def test_is_fine_without_any(self, client: Client, encoding: str, empty: bytes) -> None:
        response = send(client, empty, encoding)

        assert (response.status_code, response["Content-Type"], rejected(response)) == (200, encoding, (0, ""))

    def test_answers_in_the_encoding_of_the_request_whatever_else_is_said(self, client: Client) -> None:
        body = encoded(export(span({"stillwatch.account": None})), PROTOBUF)

        response = send(client, body, f"{PROTOBUF}; charset=utf-8", HTTP_ACCEPT="text/html", QUERY_STRING="format=xml")

        assert (response.status_code, rejected(response)[0]) == (200, 1)


@pytest.mark.django_db(transaction=True)
class TestTheExporterOfTheSdk:
    """Real spans, sent by the real exporter, over HTTP, into PostgreSQL."""

    @pytest.fixture(autouse=True)
    def _configured_by_its_environment(self, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
        _, known = service_key("usage:write")
        bearer = quote(known["HTTP_AUTHORIZATION"])
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", live_server.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"Authorization={bearer}")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "stillwatch.account=acct_harbour")

    @staticmethod
    def serve(exporter: SpanExporter, *, batches: int = 1, **attributes: Any) -> list[SpanContext]:
        """What a gateway records of requests that it serves, each with the request to the model that it makes."""
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(exporter))
        tracer, requests = provider.get_tracer("gateway"), []
        for _ in range(batches):
            with tracer.start_as_current_span("POST /chat"), tracer.start_as_current_span("chat flagship-2") as chat:
                chat.set_attributes(REQUEST | attributes)
            requests.append(chat.get_span_context())
            provider.force_flush()
        provider.shutdown()
        return requests

    @pytest.mark.parametrize("compression", ["none", "gzip"])
    def test_delivers_with_its_usual_settings(self, monkeypatch: pytest.MonkeyPatch, compression: str) -> None:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)

        (request,) = self.serve(OTLPSpanExporter())

        event = UsageEvent.objects.get()
        assert event.event_id == f"{request.trace_id:032x}-{request.span_id:016x}"
        assert (event.source, event.account.external_id) == ("opentelemetry", "acct_harbour")
        assert (event.model, event.input_tokens, event.output_tokens) == ("flagship-2", 812, 1403)
        assert event.prompt_digest is not None

    def test_delivers_once_although_it_sends_twice(self) -> None:
        class Twice(OTLPSpanExporter):
            def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
                super().export(spans)
                return super().export(spans)

        self.serve(Twice(compression=Compression.Gzip), batches=2)

        assert UsageEvent.objects.count() == 2

    def test_delivers_after_a_while_when_the_database_was_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        attempts = iter([OperationalError, OperationalError])

        def record_at_last(*args: Any, **members: Any) -> Any:
            for error in attempts:
                raise error
            return record_events(*args, **members)

        monkeypatch.setattr(api, "record_events", record_at_last)
        monkeypatch.setattr(problems, "RETRY_AFTER_SECONDS", 0)

        self.serve(OTLPSpanExporter())

        assert UsageEvent.objects.count() == 1

    def test_takes_rejected_spans_as_delivered(self, caplog: pytest.LogCaptureFixture) -> None:
        self.serve(OTLPSpanExporter(), **{"gen_ai.usage.input_tokens": -1})

        assert not UsageEvent.objects.exists()
        assert "Failed to export" not in caplog.text

    def test_gives_up_at_once_with_a_key_that_nobody_knows(self, caplog: pytest.LogCaptureFixture) -> None:
        self.serve(OTLPSpanExporter(headers={"Authorization": "Bearer swk_unknown"}))

        assert "Failed to export spans batch code: 401, reason: Unauthorized" in caplog.text
