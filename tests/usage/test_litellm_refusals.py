"""What is refused of LiteLLM's batches, and what a customer may write into a request without being refused."""

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from governance.usage.models import UsageEvent
from tests.factories import NOW, service_key
from tests.usage.litellm import failure, payload

pytestmark = pytest.mark.django_db

DEEP: Any = "deep"
for _ in range(200):  # LiteLLM cuts at 100
    DEEP = [DEEP]
HOSTILE: list[Any] = [
    None, "", "\0", "\ud83d", "a\0b", "x" * 100_000, True, -1, 0, 2**31, 2**70, -(2**70), 1e308, float("nan"),
    float("inf"), [], ["a"], {}, {"a": 1}, DEEP,
]  # fmt: skip


@pytest.fixture(autouse=True)
def _at_the_time_of_the_payloads() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def send(client: Client, body: bytes, **headers: Any) -> Any:
    _, known = service_key("usage:write")
    return client.post("/api/v1/sources/litellm", body, content_type="application/json", **known, **headers)


class TestABody:
    @pytest.mark.parametrize(
        "body",
        [
            b"", b" \n", b"nonsense", b"\xff\xfe", b'"a string"', b"null", b"[", b"[{}", b"[{} {}]", b"[{},]x",
            b"[" * 100_000,
        ],
    )  # fmt: skip
    def test_that_is_no_batch_is_refused(self, client: Client, body: bytes) -> None:
        response = send(client, body)

        assert response.status_code == 400
        assert response["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize("line", [b"nonsense", b"{", b'{"a":' * 100_000, b'{"id": 1' + b"0" * 5000 + b"}", b"{}"])
    def test_loses_only_the_line_that_is_no_payload(self, client: Client, line: bytes) -> None:
        good = json.dumps(payload()).encode()

        response = send(client, b"\n".join([good, line, json.dumps(payload()).encode()]))

        assert response.json()["accepted"] == 2
        assert [rejection["line"] for rejection in response.json()["rejections"]] == [2]

    @pytest.mark.parametrize(
        "bad",
        [b'{"messages": ' + b"[" * 1500 + b"]" * 1500 + b"}", b'{"a":' * 1500 + b"1" + b"}" * 1500, b'{"a": tru}'],
    )
    def test_loses_only_the_element_that_cannot_be_parsed(self, client: Client, bad: bytes) -> None:
        response = send(client, b"[%b, %b ,%b]" % (json.dumps(payload()).encode(), bad, json.dumps(payload()).encode()))

        assert (response.status_code, response.json()["accepted"]) == (202, 2)
        assert [rejection["line"] for rejection in response.json()["rejections"]] == [2]

    def test_may_hold_a_number_without_end(self, client: Client) -> None:
        long = json.dumps(payload(model_parameters={"seed": 7})).replace('"seed": 7', '"seed": ' + "7" * 5000)

        response = send(client, f"[{long}]".encode())

        assert (response.status_code, response.json()["accepted"]) == (202, 1)

    def test_may_be_compressed(self, client: Client) -> None:
        response = send(client, gzip.compress(json.dumps([payload()]).encode()), HTTP_CONTENT_ENCODING="gzip")

        assert response.json()["accepted"] == 1


class TestWhateverACustomerWrites:
    """A harvester who could have events refused would choose not to be counted."""

    @pytest.mark.parametrize("name", ["end_user", "messages", "session_id", "trace_id", "model_parameters", "stream"])
    def test_into_a_request_costs_no_event(self, client: Client, name: str) -> None:
        self.all_are_taken(client, [payload() | {name: value} for value in HOSTILE])

    @pytest.mark.parametrize(
        "name",
        [
            "temperature", "top_p", "n", "max_tokens", "logprobs", "top_logprobs", "seed", "response_format", "text",
            "tools", "functions", "instructions",
        ],
    )  # fmt: skip
    def test_into_the_parameters_costs_no_event(self, client: Client, name: str) -> None:
        self.all_are_taken(client, [payload(model_parameters={name: value}) for value in HOSTILE])

    @pytest.mark.parametrize("name", ["requester_ip_address", "user_agent", "requester_metadata"])
    def test_into_the_headers_costs_no_event(self, client: Client, name: str) -> None:
        self.all_are_taken(client, [payload(metadata={name: value}) for value in HOSTILE])

    @pytest.mark.parametrize("model", ["m" * 300, "\u0130" * 100, "M" * 127 + " x"], ids=ascii)
    def test_for_a_model_is_cut_to_what_fits(self, client: Client, model: str) -> None:
        self.all_are_taken(client, [payload(model_group=model)])

    def test_for_a_model_costs_no_event(self, client: Client) -> None:
        self.all_are_taken(client, [failure(error_code="400") | {"model_group": "", "model": name} for name in HOSTILE])

    @staticmethod
    def all_are_taken(client: Client, payloads: list[Any]) -> None:
        response = send(client, json.dumps(payloads).encode())

        assert response.status_code == 202
        assert response.json()["rejections"] == []
        assert UsageEvent.objects.count() == len(payloads)

    @pytest.mark.parametrize(
        ("given", "address"),
        [
            ("203.0.113.9, 10.0.0.1", "203.0.113.9"),
            ("203.0.113.9:4711", "203.0.113.9"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
            ("fe80::1%eth0", "fe80::1"),
            ("next door", None),
        ],
    )
    def test_as_an_address_is_kept_where_it_is_one(self, client: Client, given: str, address: str | None) -> None:
        send(client, json.dumps([payload(metadata={"requester_ip_address": given})]).encode())

        assert UsageEvent.objects.get().ip == address


class TestANumber:
    @pytest.mark.parametrize("given", ["many", -5, "-5", 0.5, True, [1], {}, "None", float("nan"), 2**70])
    def test_that_is_optional_and_cannot_be_read_is_absent(self, client: Client, given: Any) -> None:
        usage = {
            "prompt_tokens_details": {"cached_tokens": given}, "completion_tokens_details": {"reasoning_tokens": given},
        }  # fmt: skip
        answer = send(client, json.dumps([payload(metadata={"usage_object": usage})]).encode()).json()

        assert answer["rejections"] == []
        assert UsageEvent.objects.values_list("cached_input_tokens", "reasoning_tokens").get() == (0, 0)

    @pytest.mark.parametrize(
        ("written", "with_point"), [("812", "64"), ("812.0", "64.0"), (812.0, 64.0), (" 812 ", 64)]
    )
    def test_may_be_text_or_have_a_point(self, client: Client, written: Any, with_point: Any) -> None:
        asked = {"max_tokens": with_point, "n": with_point, "seed": with_point}
        given = payload(prompt_tokens=written, completion_tokens=written, model_parameters=asked)
        given["metadata"]["usage_object"]["prompt_tokens_details"]["cached_tokens"] = written

        assert send(client, json.dumps([given]).encode()).json()["rejections"] == []
        event = UsageEvent.objects.get()
        assert (event.input_tokens, event.output_tokens, event.cached_input_tokens) == (812, 812, 812)
        assert (event.max_tokens, event.n) == (64, 64)


class TestATime:
    @pytest.mark.parametrize("write", [str, "{:.6f}".format, " {} ".format, "{:e}".format, repr])
    def test_may_be_text(self, client: Client, write: Callable[[float], str]) -> None:
        began = NOW.timestamp() - 3600
        given = payload(startTime=write(began), endTime=write(began + 3600))

        assert send(client, json.dumps([given]).encode()).json()["rejections"] == []
        assert abs(UsageEvent.objects.get().occurred_at.timestamp() - began) < 3600

    @pytest.mark.parametrize("given", ["soon", "nan", "inf", "1e300", "", None, [], True])
    def test_that_is_none_is_named(self, client: Client, given: Any) -> None:
        answer = send(client, json.dumps([payload(startTime=given), payload()]).encode()).json()

        assert (answer["accepted"], answer["rejected"]) == (1, 1)


class TestAnything:
    def test_in_any_place_is_answered(self, client: Client) -> None:
        usual = payload()
        payloads = [usual | {name: value} for name in usual for value in HOSTILE]
        payloads += [payload(metadata={name: value}) for name in usual["metadata"] for value in HOSTILE]

        response = send(client, json.dumps(payloads).encode())

        answer = response.json()
        assert response.status_code == 202
        assert answer["accepted"] + answer["duplicate"] + answer["rejected"] >= len(payloads) - 2 * len(HOSTILE)
