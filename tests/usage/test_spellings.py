"""Values that are spelled in several ways: each is one, whatever door it comes in by."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from accounts.models import Account, ApiKey, Organisation
from governance.usage.actions import IntakeResult, record_lines
from governance.usage.models import UsageEvent
from tests.factories import NOW, line, service_key, usage_event
from tests.usage.litellm import KEY, payload
from tests.usage.spans import JSON, encoded, export, rejected, span
from tests.usage.spans import send as send_spans

pytestmark = pytest.mark.django_db

ONE_ADDRESS = [
    "203.0.113.77", "::ffff:203.0.113.77", "::ffff:cb00:714d", "0:0:0:0:0:FFFF:CB00:714D", " 203.0.113.77 ",
    "203.0.113.77:4711", "[::ffff:203.0.113.77]:4711",
]  # fmt: skip
COMPOSED, DECOMPOSED = "acct_é", "acct_e\u0301"


@pytest.fixture(autouse=True)
def _at_the_time_of_the_events() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def record(*lines: bytes) -> IntakeResult:
    return record_lines(lines, source="native", now=NOW)


class TestAnAddress:
    @pytest.mark.parametrize("spelled", ONE_ADDRESS)
    def test_is_one_in_the_wire_format(self, spelled: str) -> None:
        assert record(line(client={"ip": spelled})).rejected == []
        assert UsageEvent.objects.get().ip == "203.0.113.77"

    @pytest.mark.parametrize("spelled", ONE_ADDRESS)
    def test_is_one_from_litellm_and_opentelemetry(self, client: Client, spelled: str) -> None:
        _, key = service_key("usage:write")
        body = json.dumps([payload(metadata={"requester_ip_address": spelled})])
        client.post("/api/v1/sources/litellm", body, content_type=JSON, **key)
        send_spans(client, encoded(export(span({"client.address": spelled})), JSON))

        assert list(UsageEvent.objects.values_list("ip", flat=True)) == ["203.0.113.77"] * 2

    @pytest.mark.parametrize("spelled", ["203.000.113.077", "next door", "203.0.113.77:port", "[203.0.113.77", "1"])
    def test_that_is_none_is_named(self, spelled: str) -> None:
        (rejection,) = record(line(client={"ip": spelled})).rejected

        assert rejection.reason == "client.ip is not an IPv4 or IPv6 address"


class TestAName:
    def test_is_one_with_spaces_around_it_and_however_it_is_composed(self) -> None:
        for account in (COMPOSED, DECOMPOSED, f" {COMPOSED}", f"{DECOMPOSED}\t"):
            record(line(account=account, organisation=" org_quay ", api_key="key_1 ", model=" Flagship-2"))

        event = UsageEvent.objects.first()
        assert event is not None
        assert (event.model, event.api_key) == ("flagship-2", "key_1")
        assert Account.objects.get().external_id == COMPOSED
        assert (Organisation.objects.get().external_id, ApiKey.objects.get().external_id) == ("org_quay", "key_1")

    def test_of_an_event_is_one_too(self) -> None:
        record(line(id="req_1"))

        assert record(line(id=" req_1 ")).duplicate == 1

    def test_of_a_model_is_one_in_either_case_from_every_source(self, client: Client) -> None:
        _, key = service_key("usage:write")
        record(line(model="FLAGSHIP-2"))
        client.post(
            "/api/v1/sources/litellm", json.dumps([payload(model_group="Flagship-2")]), content_type=JSON, **key
        )
        send_spans(client, encoded(export(span({"gen_ai.request.model": "FlagShip-2"})), JSON))

        assert list(UsageEvent.objects.values_list("model", flat=True)) == ["flagship-2"] * 3

    @pytest.mark.parametrize("name", ["account", "model"])
    @pytest.mark.parametrize("given", ["   ", "\u0130" * 128, "\ufb2c" * 128])
    def test_that_is_too_long_or_empty_once_it_is_spelled_is_refused_alone(self, name: str, given: str) -> None:
        outcome = record(line(), line(**{name: given}))

        assert outcome.accepted + len(outcome.rejected) == 2
        assert outcome.accepted >= 1


class TestAnEmptyText:
    EMPTY: dict[str, Any] = {
        "organisation": "", "api_key": "", "end_user": "", "conversation": "", "latency_ms": "", "operation": "",
        "cached_input_tokens": "",
        "client": {"ip": "", "country": "", "user_agent": "", "asn": ""},
        "parameters": {"temperature": "", "max_tokens": "", "response_format": ""},
    }  # fmt: skip

    def test_is_no_value(self) -> None:
        assert record(line(**self.EMPTY)).rejected == []

        event = UsageEvent.objects.get()
        assert (event.ip, event.country, event.asn, event.temperature, event.latency_ms) == (None,) * 5
        assert (event.operation, event.api_key, event.account.organisation) == ("chat", None, None)

    def test_may_be_null_as_well(self) -> None:
        absent = {
            name: dict.fromkeys(payloads) if isinstance(payloads, dict) else None
            for name, payloads in self.EMPTY.items()
        }
        more = {"reasoning_tokens": None, "status": None, "parameters": None, "client": None}

        assert record(line(**absent), line(**more)).rejected == []
        assert UsageEvent.objects.filter(status="ok", operation="chat", reasoning_tokens=0).count() == 2

    @pytest.mark.parametrize("name", ["id", "account", "model"])
    def test_is_refused_where_a_value_is_needed(self, name: str) -> None:
        (rejection,) = record(line(**{name: ""})).rejected

        assert rejection.reason.startswith(f"{name} must be a text of 1 to ")


@pytest.mark.parametrize("nothing", ["None", " null", "undefined", "NONE"])
class TestAnIdThatSaysNothing:
    def test_is_refused_where_one_is_needed_and_else_absent(self, nothing: str) -> None:
        optional = dict.fromkeys(("organisation", "api_key", "end_user", "conversation"), nothing)

        outcome = record(line(**optional), line(account=nothing), line(id=nothing))

        assert (outcome.accepted, [rejection.line for rejection in outcome.rejected]) == (1, [2, 3])
        event = UsageEvent.objects.get()
        assert (event.api_key, event.end_user, event.conversation, event.account.organisation) == (None,) * 4

    def test_is_nobody_to_litellm_and_opentelemetry(self, client: Client, nothing: str) -> None:
        _, key = service_key("usage:write")
        ids = dict.fromkeys(("user_api_key_team_id", "user_api_key_org_id"), nothing)
        payloads = [payload(metadata=ids | {"user_api_key_user_id": "user_7"}), payload(metadata=ids)]
        payloads.append(payload(metadata=ids | dict.fromkeys(("user_api_key_user_id", "user_api_key_hash"), nothing)))

        answer = client.post("/api/v1/sources/litellm", json.dumps(payloads), content_type=JSON, **key).json()
        spans = send_spans(client, encoded(export(span({"stillwatch.account": nothing})), JSON))

        assert [rejection["line"] for rejection in answer["rejections"]] == [3]
        assert rejected(spans)[0] == 1
        assert set(Account.objects.values_list("external_id", flat=True)) == {"user_7", KEY}
        assert not Organisation.objects.exists()


class TestANumber:
    def test_may_be_written_with_a_point_where_it_is_whole(self) -> None:
        numbers = {"input_tokens": 812.0, "output_tokens": 1.403e3, "latency_ms": 9.0}
        asked = {"n": 2.0, "max_tokens": 64.0, "temperature": 1}

        assert record(line(**numbers, parameters=asked, client={"asn": 64500.0})).rejected == []

        event = UsageEvent.objects.get()
        assert (event.input_tokens, event.output_tokens, event.latency_ms) == (812, 1403, 9)
        assert (event.n, event.max_tokens, event.temperature, event.asn) == (2, 64, 1.0, 64500)

    @pytest.mark.parametrize("given", [812.5, 1e300, -1.0])
    def test_that_is_no_count_is_named(self, given: float) -> None:
        (rejection,) = record(line(input_tokens=given)).rejected

        assert rejection.reason == "input_tokens must be a whole number from 0 to 2,147,483,647"

    def test_may_be_so_in_a_table_and_from_litellm(self, client: Client, tmp_path: Path) -> None:
        _, key = service_key("usage:write")
        file = tmp_path / "events.parquet"
        pl.DataFrame([usage_event(input_tokens=812.0)]).write_parquet(file)
        call_command("import_usage", str(file), stdout=StringIO())
        floats = payload(prompt_tokens=812.0, completion_tokens=1403.0, model_parameters={"max_tokens": 64.0})
        client.post("/api/v1/sources/litellm", json.dumps([floats]), content_type=JSON, **key)

        assert list(UsageEvent.objects.values_list("input_tokens", "output_tokens")) == [(812, 1403)] * 2


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path, mark: bytes) -> None:
    file, out = tmp_path / "events.jsonl", StringIO()
    file.write_bytes(mark + line() + b"\n" + mark + line() + b"\n" + mark + b"\n")

    call_command("import_usage", str(file), stdout=out)

    assert "2 accepted, 0 duplicate, 0 rejected" in out.getvalue()


def test_a_file_in_utf_16_is_told_so() -> None:
    (rejection,) = record("\ufeff{}".encode("utf-16-le")).rejected

    assert "UTF-16" in rejection.reason
