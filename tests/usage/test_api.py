import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import time_machine
import zstandard
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from governance.usage.actions import record_lines
from governance.usage.fingerprint import Fingerprint, fingerprint
from governance.usage.models import DirtyAccount, Excerpt, UsageEvent
from governance.usage.request_body import MAX_BYTES, MAX_BYTES_INFLATED
from tests.factories import NOW, line, service_key, usage_event

pytestmark = pytest.mark.django_db
NDJSON = "application/x-ndjson"


@pytest.fixture(autouse=True)
def _at_the_time_of_the_events() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def send(client: Client, body: bytes, content_type: str = NDJSON, *, scope: str = "usage:write", **headers: Any) -> Any:
    _, known = service_key(scope)
    return client.post("/api/v1/usage-events", body, content_type=content_type, **known, **headers)


class TestSendingUsage:
    def test_takes_json_lines(self, client: Client) -> None:
        response = send(client, line(id="req_1") + b"\n" + line(id="req_2") + b"\n")

        assert response.status_code == 202
        assert response.json() == {"accepted": 2, "duplicate": 0, "rejected": 0, "rejections": []}

    def test_takes_a_list_of_events(self, client: Client) -> None:
        response = send(client, json.dumps({"events": [usage_event(), usage_event()]}).encode(), "application/json")

        assert response.json()["accepted"] == 2

    @pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
    def test_takes_it_compressed(self, client: Client, encoding: str, pack: Any) -> None:
        response = send(client, pack(line()), HTTP_CONTENT_ENCODING=encoding)

        assert response.json()["accepted"] == 1

    @pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
    def test_takes_what_was_compressed_in_several_pieces(self, client: Client, encoding: str, pack: Any) -> None:
        body = pack(line() + b"\n") + pack(line() + b"\n")

        assert send(client, body, HTTP_CONTENT_ENCODING=encoding).json()["accepted"] == 2

    def test_takes_a_fingerprint_that_the_gateway_made_in_place_of_text(self, client: Client) -> None:
        asked = {"messages": [{"role": "user", "content": "How tall is the Eiffel Tower?"}]}
        made = fingerprint(**asked, key=settings.FINGERPRINT_KEY)

        send(client, line(id="told", **asked) + b"\n" + line(id="made", fingerprint=msgspec.to_builtins(made)))

        from_text, kept = UsageEvent.objects.order_by("-event_id")
        columns = {field.name for field in UsageEvent._meta.fields}.intersection(Fingerprint.__struct_fields__)
        assert {"prompt_digest", "sketch", "markers"} <= columns  # the others are kept in profiles alone
        for column in columns:
            assert getattr(kept, column) == getattr(from_text, column)
        assert Excerpt.objects.count() == 1

    def test_names_each_rejected_line_and_why(self, client: Client) -> None:
        response = send(client, line() + b"\nnonsense\n")

        assert response.status_code == 202
        (rejection,) = response.json()["rejections"]
        assert rejection["line"] == 2
        assert rejection["reason"].startswith("it is not JSON")

    def test_logs_how_many_lines_of_which_service_key_were_rejected_and_no_word_of_them(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        send(client, line() + b"\nnonsense\n")

        assert [record.getMessage() for record in caplog.records if record.name == "governance.usage.actions"] == [
            "1 of 2 events from native, service key gateway-eu were rejected"
        ]

    def test_needs_a_service_key(self, client: Client) -> None:
        response = client.post("/api/v1/usage-events", line(), content_type=NDJSON)

        assert response.status_code == 401
        assert not UsageEvent.objects.exists()

    def test_needs_its_scope(self, client: Client) -> None:
        assert send(client, line(), scope="access:read").status_code == 403

    @pytest.mark.parametrize(
        ("body", "content_type", "encoding", "status"),
        [
            (b"nonsense", "application/json", "identity", 400),
            (b"\x1f\x8b damaged", NDJSON, "gzip", 400),
            (gzip.compress(line())[:-12], NDJSON, "gzip", 400),
            (zstandard.compress(line())[:-2], NDJSON, "zstd", 400),
            (b"damaged", NDJSON, "zstd", 400),
            (line(), NDJSON, "br", 415),
            (gzip.compress(b"\n" * (MAX_BYTES_INFLATED + 1)), NDJSON, "gzip", 413),
            (zstandard.compress(b"\n" * (MAX_BYTES_INFLATED + 1)), NDJSON, "zstd", 413),
            (zstandard.compress(b"\n" * 2**21), NDJSON, "zstd", 413),
            (b"\n" * (MAX_BYTES + 1), NDJSON, "identity", 413),
            (b"", "application/json", "identity", 400),
            (line() * 10_001, NDJSON, "identity", 202),
        ],
        ids=[
            "no JSON",
            "no gzip",
            "cut gzip",
            "cut zstd",
            "no zstd",
            "unknown encoding",
            "a bomb",
            "a bomb of zstd",
            "a little bomb",
            "too much",
            "no body",
            "one endless line",
        ],
    )
    def test_answers_what_it_cannot_read_with_a_clear_error(
        self, client: Client, body: bytes, content_type: str, encoding: str, status: int
    ) -> None:
        response = send(client, body, content_type, HTTP_CONTENT_ENCODING=encoding)

        assert response.status_code == status
        assert not UsageEvent.objects.exists()

    def test_refuses_more_events_at_once_than_it_says(self, client: Client) -> None:
        response = send(client, b"\n".join([b"{}"] * 10_001))

        assert response.status_code == 413
        assert response["Content-Type"] == "application/problem+json"


class TestBackpressure:
    @pytest.fixture(autouse=True)
    def _an_account_that_has_waited_a_minute(self) -> None:
        record_lines([line()], source="native", now=NOW)
        DirtyAccount.objects.update(dirty_since=NOW - timedelta(minutes=1))

    def test_asks_to_come_back_later_when_scoring_is_too_far_behind(self, client: Client, settings: Settings) -> None:
        settings.INTAKE_MAX_LAG = 59

        response = send(client, line())

        assert response.status_code == 429
        assert response["Retry-After"] == "30"
        assert "60 seconds behind" in response.json()["detail"]
        assert UsageEvent.objects.count() == 1

    @pytest.mark.parametrize("allowed", [61, 0])
    def test_asks_nobody_otherwise(self, client: Client, settings: Settings, allowed: int) -> None:
        settings.INTAKE_MAX_LAG = allowed

        assert send(client, line()).status_code == 202

    def test_does_not_count_dead_letters(self, client: Client, settings: Settings) -> None:
        settings.INTAKE_MAX_LAG = 59
        DirtyAccount.objects.update(dead_lettered_at=NOW)

        assert send(client, line()).status_code == 202
