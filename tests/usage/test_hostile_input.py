"""Whatever comes in, the good lines beside it are taken, and the answer is no error of the server."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.usage.models import UsageEvent
from tests.factories import NOW, line, service_key, usage_event

pytestmark = pytest.mark.django_db

NASTY: tuple[Any, ...] = (
    None, True, -1, 0, 2**31, 2**63, 2**70, -(2**70), 1e308, 0.1, "", "\0", "a\0b", "\ud83d", "\udc00x", "é" * 200,
    "\u202e", "x" * 5_000, "2026-11-02T09:10:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "%s", "'; --", "\\.",
    "\r\n", '"', ",", [], {}, [None], {"": None},
)  # fmt: skip
RAW: tuple[bytes, ...] = (
    b"NaN", b"-Infinity", b"1e999", b"1" * 400, b'"\\ud800"', b'"\\u0000"', b"[" * 2_000 + b"]" * 2_000,
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000, b"nul", b"tru", b"\xff\xfe",
    b'"\x80"', b"01", b"--1", b"1.", b"\x1f", b'"open',
)  # fmt: skip
MEMBERS = (*usage_event(), "organisation", "api_key", "operation", "status", "client", "end_user", "conversation",
           "parameters", "messages", "prompt", "fingerprint", "output", "output_fingerprint",
           "reasoning_digests", "cached_input_tokens", "latency_ms", "other")  # fmt: skip
INSIDE = ("ip", "asn", "country", "user_agent", "temperature", "top_p", "n", "max_tokens", "logprobs", "top_logprobs",
          "seed", "stream", "response_format", "tools", "role", "content", "text", "type", "prompt_digest",
          "runs")  # fmt: skip

values = st.sampled_from(NASTY) | st.text(st.characters(codec=None), max_size=30) | st.integers() | st.floats()
trees = st.recursive(
    values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INSIDE), inner, max_size=3)
)
numbers = itertools.count()


@st.composite
def nasty_lines(draw: st.DrawFn) -> bytes:
    """A line that was an event before somebody got at it; now and then it still is one."""
    event = usage_event(id=f"nasty_{draw(st.integers(0, 10**6))}")
    for member in draw(st.lists(st.sampled_from(MEMBERS), min_size=1, max_size=3)):
        event[member] = draw(trees)
    body = json.dumps(event).encode()
    match draw(st.sampled_from(["whole", "raw", "twice", "cut", "noise"])):
        case "raw":
            name = draw(st.sampled_from(MEMBERS)).encode()
            return body[:-1] + b', "' + name + b'": ' + draw(st.sampled_from(RAW)) + b"}"
        case "twice":
            return body[:-1] + b', "account": "acct_other", "id": 7}'
        case "cut":
            return body[: draw(st.integers(0, len(body)))].replace(b"\n", b"")
        case "noise":
            return draw(st.binary(max_size=60)).replace(b"\n", b"").replace(b"\r", b"")
        case _:
            return body


@pytest.fixture(autouse=True)
def _at_the_time_of_the_events() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@given(st.lists(nasty_lines(), min_size=1, max_size=20))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_takes_the_good_lines_beside_bad_ones_and_names_the_bad(client: Client, bad: list[bytes]) -> None:
    client.raise_request_exception = False
    _, key = service_key("usage:write")
    first, last = f"good_{next(numbers)}", f"good_{next(numbers)}"

    body = b"\n".join([line(id=first), *bad, line(id=last)])
    response = client.post("/api/v1/usage-events", body, content_type="application/x-ndjson", **key)

    assert response.status_code == 202, response.content
    counts = response.json()
    named = {rejection["line"] for rejection in counts["rejections"]}
    assert UsageEvent.objects.filter(event_id__in=[first, last]).count() == 2
    assert named <= set(range(2, len(bad) + 2))
    assert all(rejection["reason"] for rejection in counts["rejections"])
    written = sum(1 for one in bad if one.strip())
    assert counts["accepted"] + counts["duplicate"] + counts["rejected"] == written + 2


@pytest.mark.parametrize("content_type", ["application/json", "application/x-ndjson", "text/plain", ""])
@given(body=st.binary(max_size=200) | st.sampled_from(RAW) | trees.map(lambda tree: json.dumps(tree).encode()))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_any_body_with_what_was_wrong(client: Client, content_type: str, body: bytes) -> None:
    client.raise_request_exception = False
    _, key = service_key("usage:write")

    response = client.post("/api/v1/usage-events", body, content_type=content_type, **key)

    assert response.status_code in {202, 400}, response.content
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize(
    "bad", [b"[" * 1500 + b"]" * 1500, b"NaN", b'"\xff"', b"tru", b'{"a":' * 1500 + b"1" + b"}" * 1500]
)
def test_takes_the_good_events_of_a_list_beside_one_that_cannot_be_parsed(client: Client, bad: bytes) -> None:
    _, key = service_key("usage:write")
    events = [line(), line(prompt="quokkas").replace(b'"quokkas"', bad), line(prompt='[{"}, \\" \\')]

    response = client.post(
        "/api/v1/usage-events",
        b'{"other": [1], "events": [' + b" , ".join(events) + b"]}",
        content_type="application/json",
        **key,
    )

    assert (response.status_code, response.json()["accepted"]) == (202, 2), response.content
    assert [rejection["line"] for rejection in response.json()["rejections"]] == [2]


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
@pytest.mark.parametrize("half", ["cut \ud83d", "\udc00 cut", "\ud83d\ud83d\ude00 \\ud83d"])
def test_takes_an_event_whose_text_was_cut_amid_a_character(client: Client, kind: str, half: str) -> None:
    _, key = service_key("usage:write")
    events = [usage_event(), usage_event(prompt=half), usage_event(messages=[{"role": "user", "content": half}])]
    body = json.dumps({"events": events}) if kind == "application/json" else "\n".join(map(json.dumps, events))

    response = client.post("/api/v1/usage-events", body, content_type=kind, **key)

    assert (response.status_code, response.json()["accepted"]) == (202, 3), response.content
    assert UsageEvent.objects.exclude(prompt_digest=None).count() == 2


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_takes_an_event_whose_text_holds_half_a_character_encoded(client: Client, kind: str) -> None:
    _, key = service_key("usage:write")
    halves = ["cut \ud83d", "\udc00 cut", "\ud83d \ud83d\\ude00"]
    events = [json.dumps(usage_event(prompt=half, end_user=half), ensure_ascii=False) for half in halves]
    body = "\n".join(events) if kind == "application/x-ndjson" else f'{{"events": [{",".join(events)}]}}'

    response = client.post("/api/v1/usage-events", body.encode("utf-8", "surrogatepass"), content_type=kind, **key)

    assert (response.status_code, response.json()["accepted"]) == (202, 3), response.content
    assert {"cut \ufffd", "\ufffd cut"} < set(UsageEvent.objects.values_list("end_user", flat=True))


@pytest.mark.parametrize("slowly", ["", ', "end_user": ""', ', "end_user": "\\ud83d"'])
def test_takes_the_last_of_a_member_that_an_object_has_twice(client: Client, slowly: str) -> None:
    _, key = service_key("usage:write")
    twice = '"account": "acct_first", "input_tokens": "many", "client": {"ip": "203.0.113.1"}, "extra": 1, '
    last = usage_event(account="acct_last", input_tokens=7, client={"ip": "203.0.113.2", "asn": 64500})
    body = "{" + twice + json.dumps(last)[1:-1] + slowly + "}"

    response = client.post("/api/v1/usage-events", body, content_type="application/x-ndjson", **key)

    assert response.json()["accepted"] == 1, response.content
    event = UsageEvent.objects.get()
    assert (event.account.external_id, event.input_tokens, event.ip) == ("acct_last", 7, "203.0.113.2")


def test_takes_a_prompt_of_ten_megabytes_from_a_file_and_counts_it(tmp_path: Any) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(line(messages=[{"role": "user", "content": "word " * 2_000_000}]) + b"\n" + line())

    call_command("import_usage", str(file))

    assert sorted(UsageEvent.objects.values_list("prompt_chars", flat=True), key=str) == [10_000_000, None]
