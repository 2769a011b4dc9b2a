import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
import zstandard
from django.test import Client

from governance.usage.api import MOST_BYTES_INFLATED
from governance.usage.models import UsageEvent
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

    def test_names_each_rejected_line_and_why(self, client: Client) -> None:
        response = send(client, line() + b"\nnonsense\n")

        assert response.status_code == 202
        (rejection,) = response.json()["rejections"]
        assert rejection["line"] == 2
        assert "malformed" in rejection["reason"]

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
            (b"damaged", NDJSON, "zstd", 400),
            (line(), NDJSON, "br", 415),
            (gzip.compress(b"\n" * (MOST_BYTES_INFLATED + 1)), NDJSON, "gzip", 413),
            (line() * 10_001, NDJSON, "identity", 202),
        ],
        ids=["no JSON", "no gzip", "cut gzip", "no zstd", "unknown encoding", "a bomb", "one endless line"],
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
