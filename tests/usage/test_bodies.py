"""Bodies that are made to cost work: bounded whatever they are packed in."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
import zstandard
from django.test import Client

from governance.usage.models import UsageEvent
from governance.usage.request_body import MAX_BYTES, MAX_FRAMES
from governance.usage.sources import otlp
from tests.factories import NOW, line, service_key
from tests.usage.spans import JSON, PROTOBUF, encoded, export, span

pytestmark = pytest.mark.django_db

BOTH = pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
BOM = b"\xef\xbb\xbf"
Pack = Callable[[bytes], bytes]


@pytest.fixture(autouse=True)
def _at_the_time_of_the_events() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def send(client: Client, body: bytes, *, to: str = "/api/v1/usage-events", **headers: Any) -> Any:
    _, known = service_key("usage:write")
    kind = headers.pop("kind", "application/x-ndjson")
    return client.post(to, body, content_type=kind, **known, **headers)


class TestCompressedParts:
    @BOTH
    def test_of_a_batch_may_be_one_an_event(self, client: Client, encoding: str, pack: Pack) -> None:
        body = b"".join(pack(line() + b"\n") for _ in range(30))

        response = send(client, body, HTTP_CONTENT_ENCODING=encoding)

        assert response.json()["accepted"] == 30

    @BOTH
    def test_without_end_are_refused(self, client: Client, encoding: str, pack: Pack) -> None:
        response = send(client, pack(b"") * (MAX_FRAMES + 1), HTTP_CONTENT_ENCODING=encoding)

        assert response.status_code == 413
        assert f"at most {MAX_FRAMES}" in response.json()["detail"]

    def test_cost_no_more_the_more_are_behind_them(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        given, inflater = [], zlib.decompressobj

        class Counting:
            """Notes how many bytes an inflater is given: all that it may have to hand back."""

            def __init__(self, **options: Any) -> None:
                self._inflater = inflater(**options)

            def decompress(self, part: bytes, most: int) -> bytes:
                given.append(len(part))
                return self._inflater.decompress(part, most)

            def __getattr__(self, name: str) -> Any:
                return getattr(self._inflater, name)

        monkeypatch.setattr("governance.usage.request_body.zlib.decompressobj", Counting)

        send(client, gzip.compress(b"") * (MAX_BYTES // 20), HTTP_CONTENT_ENCODING="gzip")

        assert sum(given) < 10 * MAX_BYTES

    @BOTH
    @pytest.mark.parametrize("size", [0, 1, 4_095, 4_096, 300_000, 900_000])
    def test_give_what_was_packed(self, client: Client, encoding: str, pack: Pack, size: int) -> None:
        body = pack(line(other="x" * size) + b"\n") + pack(line())

        assert send(client, body, HTTP_CONTENT_ENCODING=encoding).json()["accepted"] == 2

    @BOTH
    def test_that_end_amid_are_refused(self, client: Client, encoding: str, pack: Pack) -> None:
        body = pack(line() + b"\n") + pack(line())[:-3]

        assert send(client, body, HTTP_CONTENT_ENCODING=encoding).status_code == 400
        assert not UsageEvent.objects.exists()


class TestLinesAndGroups:
    def test_without_end_are_refused(self, client: Client) -> None:
        assert send(client, b"\n" * 20_000).status_code == 413

    def test_of_as_many_as_are_taken_are_taken(self, client: Client) -> None:
        assert send(client, b"{}\n" * 10_000).json()["rejected"] == 10_000

    def test_of_an_export_without_spans_are_refused(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(otlp, "MOST_SPANS", 50)

        response = send(client, b"\n\x00" * 51, to="/v1/traces", kind=PROTOBUF)

        assert response.status_code == 400


class TestAByteOrderMark:
    @pytest.mark.parametrize(
        ("to", "kind", "body"),
        [
            ("/api/v1/usage-events", "application/x-ndjson", line()),
            ("/api/v1/usage-events", JSON, b'{"events": [' + line() + b"]}"),
            ("/v1/traces", JSON, encoded(export(span()), JSON)),
        ],
    )
    def test_before_a_body_changes_nothing(self, client: Client, to: str, kind: str, body: bytes) -> None:
        assert send(client, BOM + body, to=to, kind=kind).status_code in {200, 202}
        assert UsageEvent.objects.count() == 1

    def test_before_litellms_batch_changes_nothing(self, client: Client) -> None:
        response = send(client, BOM + json.dumps([]).encode(), to="/api/v1/sources/litellm", kind=JSON)

        assert response.status_code == 202
