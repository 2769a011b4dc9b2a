"""What `POST /v1/traces` refuses, and how it says so."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from django.test import Client
from rest_framework.throttling import BaseThrottle

from accounts.models import Account
from governance.usage import api
from governance.usage.models import UsageEvent
from governance.usage.request_body import MAX_BYTES, MAX_BYTES_INFLATED
from governance.usage.sources import otlp
from tests.factories import NOW
from tests.usage.spans import JSON, PROTOBUF, encoded, export, message, rejected, send, span

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("encoding", [JSON, PROTOBUF])


@pytest.fixture(autouse=True)
def _at_the_time_of_the_spans() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


class OnlyEverySevenSeconds(BaseThrottle):
    def allow_request(self, request: Any, view: Any) -> bool:
        return False

    def wait(self) -> float:
        return 7


class TestARefusal:
    @BOTH
    @pytest.mark.parametrize(
        ("body", "headers", "status", "complaint"),
        [
            (b"\x00nonsense", {}, 400, "not an ExportTraceServiceRequest"),
            (encoded(export(span()), PROTOBUF)[:-7], {}, 400, "not an ExportTraceServiceRequest"),
            (b"\x1f\x8b damaged", {"HTTP_CONTENT_ENCODING": "gzip"}, 400, "not a complete gzip stream"),
            (gzip.compress(b"\n" * (MAX_BYTES_INFLATED + 1)), {"HTTP_CONTENT_ENCODING": "gzip"}, 413, "at most"),
            (b" " * (MAX_BYTES + 1), {}, 413, "at most"),
            (b"{}", {"HTTP_CONTENT_ENCODING": "deflate"}, 415, "gzip"),
            (b"{}", {"HTTP_AUTHORIZATION": ""}, 401, "credentials"),
            (b"{}", {"HTTP_AUTHORIZATION": "Bearer swk_unknown"}, 401, "Invalid or revoked service key"),
            (b"{}", {"scope": "access:read"}, 403, "usage:write"),
        ],
        ids=[
            "no export", "cut", "no gzip", "a bomb", "large", "unknown encoding", "no key", "unknown key",
            "another scope",
        ],
    )  # fmt: skip
    def test_says_why_in_the_encoding_of_the_request(
        self, client: Client, encoding: str, body: bytes, headers: dict[str, Any], status: int, complaint: str
    ) -> None:
        response = send(client, body, encoding, **headers)

        assert (response.status_code, response["Content-Type"]) == (status, encoding)
        assert complaint in message(response)
        assert not UsageEvent.objects.exists()

    def test_is_json_where_the_encoding_is_unknown(self, client: Client) -> None:
        response = send(client, b"{}", "text/plain")

        assert (response.status_code, response["Content-Type"]) == (415, JSON)
        assert PROTOBUF in message(response)

    def test_names_what_it_asks_for_where_nobody_is_known(self, client: Client) -> None:
        response = client.post("/v1/traces", b"{}", content_type=JSON)

        assert response["WWW-Authenticate"].startswith("Bearer")

    def test_of_too_many_events_stores_none(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(api, "MAX_EVENTS", 2)

        response = send(client, encoded(export(span(), span(), span()), JSON))

        assert (response.status_code, UsageEvent.objects.count()) == (413, 0)

    def test_says_when_to_come_again_where_too_much_came(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(api.OpenTelemetryTracesView, "throttle_classes", [OnlyEverySevenSeconds])

        response = send(client, b"{}")

        assert (response.status_code, response["Retry-After"]) == (429, "7")

    @BOTH
    def test_says_when_to_come_again_where_the_database_is_away(
        self, client: Client, monkeypatch: pytest.MonkeyPatch, encoding: str
    ) -> None:
        def away(*args: Any, **members: Any) -> None:
            raise OperationalError("a customer's words")

        monkeypatch.setattr(api, "record_events", away)

        response = send(client, encoded(export(span()), encoding), encoding)

        assert (response.status_code, response["Retry-After"]) == (503, "5")
        assert message(response) == "The database does not answer; nothing was saved. Send the request again."


class TestHostileInput:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"null",
            b"[]",
            b"\xff\xfe",
            b"[" * 100_000,
            b'{"resourceSpans": ' * 50_000,
            b'{"resourceSpans": 1}',
            b'{"resourceSpans": [{"scopeSpans": [{"spans": {}}]}]}',
            b'{"resourceSpans": [{"resource": {"attributes": [{"key": "a", "value": {"intValue": "b"}}]}}]}',
        ],
        ids=lambda body: repr(body[:60]),
    )
    def test_that_is_no_export_is_refused(self, client: Client, body: bytes) -> None:
        assert send(client, body).status_code == 400

    def test_in_one_span_refuses_no_other(self, client: Client) -> None:
        deep: dict[str, Any] = {"stringValue": "x"}
        for _ in range(100):
            deep = {"arrayValue": {"values": [deep]}}
        whole = export(
            span(),
            span({"gen_ai.input.messages": "\ud800\0", "user.id": "\ud800", "stillwatch.organisation": "org\ud800"}),
            span({"gen_ai.request.temperature": float("nan"), "gen_ai.request.seed": 2**70, "client.address": "\0"}),
            span(attributes=[{"key": "stillwatch.account", "value": deep}, {"key": "gen_ai.request.model"}]),
            span(attributes=[{"key": "gen_ai.operation.name", "value": deep}] * 2),
            span({"gen_ai.usage.input_tokens": 2**70}),
            span({"stillwatch.account": "a\0b"}),
        )

        response = send(client, json.dumps(whole).encode())

        assert response.status_code == 200
        assert UsageEvent.objects.count() == 3
        assert Account.objects.count() == 1

    @pytest.mark.parametrize(
        "bad", ['{"arrayValue": {"values": [' * 300 + "]}}" * 300, '{"a":' * 1500 + "1" + "}" * 1500, "7" * 5000, "tru"]
    )
    def test_that_cannot_be_parsed_refuses_no_other_span(self, client: Client, bad: str) -> None:
        whole = json.dumps(export(span(), span({"stillwatch.account": "quokkas"}), span(), resource={"a": "b"}))

        response = send(client, whole.replace('{"stringValue": "quokkas"}', bad).encode())

        assert response.status_code == 200
        assert (UsageEvent.objects.count(), rejected(response)[0]) == (2, 1)

    def test_in_one_span_of_protobuf_refuses_no_other(self, client: Client) -> None:
        whole = encoded(export(span(), span({"gen_ai.prompt": "quokkas"}), span()), PROTOBUF)

        response = send(client, whole.replace(b"quokkas", b"quokka\xf0"), PROTOBUF)

        count, why = rejected(response)
        assert (count, UsageEvent.objects.count()) == (1, 2)
        assert "not UTF-8" in why

    @BOTH
    def test_of_spans_without_end_is_refused(
        self, client: Client, monkeypatch: pytest.MonkeyPatch, encoding: str
    ) -> None:
        monkeypatch.setattr(otlp, "MOST_SPANS", 2)

        response = send(client, encoded(export({}, {}, {}), encoding), encoding)

        assert (response.status_code, message(response)) == (400, "This export has more than 2 spans.")
