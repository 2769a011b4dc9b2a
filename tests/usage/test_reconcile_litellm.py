import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from governance.audit.models import Entry
from governance.usage import spend_logs
from governance.usage.actions import accepted_times, record_events
from governance.usage.models import UsageEvent
from governance.usage.sources.litellm import events_from_batch
from tests.factories import NOW
from tests.usage.litellm import BEGAN, KEY, payload, row
from tests.usage.spend_log_server import SpendLogServer, spend_log_server

pytestmark = pytest.mark.django_db

ADMIN = "sk-admin-9f2c7d1a"
TOMORROW = NOW + timedelta(days=1)


@pytest.fixture(autouse=True)
def _a_day_after_the_requests(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LITELLM_MASTER_KEY", ADMIN)
    with time_machine.travel(TOMORROW, tick=False):
        yield


@pytest.fixture
def server() -> Iterator[SpendLogServer]:
    with spend_log_server([], key=ADMIN) as listening:
        yield listening


def reconcile(url: str, *, since: str = "2026-11-02", until: str = "2026-11-03") -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("reconcile_litellm", url, f"--from={since}", f"--to={until}", stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def delivered(*payloads: dict[str, Any]) -> None:
    """The callback brought these when they happened."""
    record_events(events_from_batch(json.dumps(payloads).encode(), span=accepted_times(NOW)), source="litellm", now=NOW)


def at(seconds: float) -> str:
    """So long after nine, as rows say it."""
    return (datetime(2026, 11, 2, 9, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def began(seconds: float) -> str:
    """So long after the payloads' usual time, as PostgreSQL keeps it for LiteLLM: rounded to milliseconds."""
    return datetime.fromtimestamp(round(BEGAN + seconds, 3), UTC).isoformat(timespec="milliseconds")


def rows_at(*seconds: float) -> list[dict[str, Any]]:
    return [row(startTime=at(second), endTime=at(second + 1)) for second in seconds]


class TestReconciling:
    def test_fills_the_gaps_and_says_how_many_there_were(self, server: SpendLogServer) -> None:
        delivered(payload(id="chatcmpl-here"))
        server.rows = [row(request_id="chatcmpl-here"), row(request_id="chatcmpl-lost")]

        out, _ = reconcile(server.url)

        assert "1 gap filled, 1 request was here already, 0 rejected" in out
        assert set(UsageEvent.objects.values_list("event_id", flat=True)) == {"chatcmpl-here", "chatcmpl-lost"}

    def test_knows_as_much_of_a_request_as_the_row_says(self, server: SpendLogServer) -> None:
        server.rows = [row(end_user="u_9", session_id="chat_4")]

        reconcile(server.url)

        event = UsageEvent.objects.get()
        assert (event.account.external_id, event.api_key, event.model) == ("team_harbour", KEY, "flagship-2")
        assert (event.input_tokens, event.output_tokens, event.latency_ms) == (812, 1403, 9100)
        assert (event.ip, event.user_agent) == ("203.0.113.9", "OpenAI/Python 2.20.0")
        assert (event.end_user, event.conversation) == ("u_9", "chat_4")
        assert event.prompt_digest is None

    def test_knows_a_request_again_whose_id_is_the_calls(self, server: SpendLogServer) -> None:
        cached: dict[str, Any] = {"litellm_call_id": "call-a", "id": f"chatcmpl-1_cache_hit{BEGAN}"}
        delivered(payload(**cached), payload(id="call-b", litellm_call_id="call-b", call_type="aembedding"))
        server.rows = [
            row(litellm_call_id="call-a", request_id=f"chatcmpl-1_cache_hit{BEGAN + 0.2}"),
            row(litellm_call_id="call-b", request_id="call-b", call_type="aembedding"),
        ]

        out, _ = reconcile(server.url)

        assert "0 gaps filled, 2 requests were here already" in out

    def test_knows_a_request_again_in_rows_of_versions_that_name_no_call(self, server: SpendLogServer) -> None:
        delivered(
            payload(id="chatcmpl-a"),
            payload(id=f"chatcmpl-a_cache_hit{BEGAN}", startTime=BEGAN + 20),
            payload(id="call-b", litellm_call_id="call-b", status="failure", startTime=BEGAN + 40.9996),
            payload(id="None", startTime=BEGAN + 45),
        )
        older = {"litellm_call_id": None}
        server.rows = [
            row(request_id="chatcmpl-a", **older),
            row(request_id=f"chatcmpl-a_cache_hit{BEGAN + 20.2}", startTime=began(20), **older),
            row(request_id="call-b", status="failure", startTime=began(40.9996), **older),
            row(request_id="None", startTime=began(45), **older),
            row(request_id="chatcmpl-lost", startTime=began(46), **older),
        ]

        out, _ = reconcile(server.url)
        again, _ = reconcile(server.url)

        assert "1 gap filled, 4 requests were here already" in out
        assert "0 gaps filled, 5 requests were here already" in again

    @pytest.mark.parametrize("cut", [True, False], ids=["cut", "rounded"])
    @pytest.mark.parametrize("named", [True, False], ids=["names its call", "names no call"])
    @pytest.mark.parametrize("answer", ["None", "chatcmpl-1", "resp_1"])
    @pytest.mark.parametrize("seconds", [20.9996, 20.9994, 20.4996, 21.0004])
    def test_knows_a_request_again_at_the_end_of_a_second(
        self, server: SpendLogServer, seconds: float, answer: str, *, named: bool, cut: bool
    ) -> None:
        instant = NOW.replace(minute=13) + timedelta(seconds=seconds)
        kind = "aresponses" if answer == "resp_1" else "acompletion"
        delivered(payload(id=answer, litellm_call_id="call-1", call_type=kind, startTime=instant.timestamp()))
        kept = instant if cut else instant + timedelta(microseconds=500)
        server.rows = [
            row(
                request_id=answer,
                litellm_call_id="call-1" if named else None,
                call_type=kind,
                startTime=kept.isoformat(timespec="milliseconds"),
            )
        ]

        out, _ = reconcile(server.url)

        assert "0 gaps filled, 1 request was here already" in out

    def test_knows_an_answer_again_that_was_made_in_the_background(self, server: SpendLogServer) -> None:
        delivered(payload(id="resp_1", call_type="aresponses", prompt_tokens=0, completion_tokens=0))
        unknown = {"prompt_tokens": 0, "completion_tokens": 0}
        server.rows = [
            row(request_id="resp_1", call_type="aresponses", **unknown),
            row(request_id="resp_1_background_cost", call_type="aget_responses", startTime=began(30)),
        ]

        reconcile(server.url)
        reconcile(server.url)

        assert UsageEvent.objects.values_list("input_tokens", "output_tokens").get() == (812, 1403)

    def test_adds_nothing_the_second_time(self, server: SpendLogServer) -> None:
        server.rows = rows_at(1, 2, 3)
        reconcile(server.url)

        out, _ = reconcile(server.url)

        assert "0 gaps filled, 3 requests were here already" in out

    def test_leaves_an_entry(self, server: SpendLogServer) -> None:
        server.rows = rows_at(1)

        reconcile(server.url)

        entry = Entry.objects.latest("number")
        assert (entry.verb, entry.details) == ("usage.imported", {"accepted": 1, "duplicate": 0, "rejected": 0})

    def test_names_the_rows_that_fit_nowhere(self, server: SpendLogServer) -> None:
        nobody = row(api_key="", team_id="", user="", startTime=at(2), endTime=at(3))
        server.rows = [*rows_at(1), nobody]

        out, err = reconcile(server.url)

        assert "1 gap filled, 0 requests were here already, 1 rejected" in out
        assert err.startswith("row 2: no account")

    def test_leaves_the_newest_minutes_to_the_callback(self, server: SpendLogServer) -> None:
        reconcile(server.url, until="2026-12-24")

        assert server.asked[0]["end_date"] == f"{TOMORROW - timedelta(minutes=10):%Y-%m-%d %H:%M:%S}"

    def test_passes_over_retries_that_litellm_paid_for(self, server: SpendLogServer) -> None:
        server.rows = [row(metadata={"billed_retry_attempt": True})]

        out, _ = reconcile(server.url)

        assert "0 gaps filled, 0 requests were here already" in out


class TestPaging:
    @pytest.fixture(autouse=True)
    def _three_rows_a_page(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spend_logs, "PAGE_ROWS", 3)

    @pytest.mark.parametrize(
        "seconds",
        [
            [0.1 * number for number in range(10)],
            list(range(10)),
            [0.1, 0.2, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 2.1, 2.2],
            [1.999, 2.0, 2.001, 2.002, 3.0, 3.0, 3.0, 3.0, 3.0, 9.0],
        ],
        ids=["in one second", "a second apart", "in bursts", "at the same instant"],
    )
    def test_reads_every_row_once(self, server: SpendLogServer, seconds: list[float]) -> None:
        server.rows = rows_at(*seconds)

        out, _ = reconcile(server.url)

        assert "10 gaps filled, 0 requests were here already" in out

    def test_begins_anew_where_the_last_page_ended(self, server: SpendLogServer) -> None:
        server.rows = rows_at(*range(7))

        reconcile(server.url)

        begun = [(asked["start_date"][-2:], asked["page"]) for asked in server.asked]
        assert begun == [("00", "1"), ("02", "1"), ("04", "1"), ("06", "1")]


class TestWhatGoesWrong:
    @pytest.mark.parametrize(
        ("refusal", "said"),
        [
            ((401, {}, b'{"error": {"message": "Prisma Client is not initialized"}}'), "401: Prisma Client is not"),
            ((500, {}, b"<html>"), "it answers 500"),
            ((404, {}, b"{}"), "it has no /spend/logs/v2"),
            ((307, {"Location": "https://elsewhere.example/"}, b""), "it redirects to https://elsewhere.example/"),
            ((200, {}, b"[]"), "not with spend logs"),
            ((200, {}, b"[" * 100_000), "not with spend logs"),
            ((200, {}, b'{"data": [{"request_id": "a", "startTime": "soon"}]}'), "not with spend logs"),
            ((200, {}, b'{"data": [{"request_id": "", "startTime": "2026-11-02T09:00:00Z"}]}'), "not with spend logs"),
            ((200, {"Transfer-Encoding": "chunked"}, b"zz"), "it cannot be reached"),
        ],
    )
    def test_is_said_in_words(self, server: SpendLogServer, refusal: Any, said: str) -> None:
        server.refusal = refusal

        with pytest.raises(CommandError, match=said) as raised:
            reconcile(server.url)

        assert ADMIN not in str(raised.value)
        assert len(server.asked) == 1

    def test_is_a_wrong_key(self, server: SpendLogServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-wrong")

        with pytest.raises(CommandError, match="it answers 401: Authentication Error"):
            reconcile(server.url)

    def test_is_no_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("LITELLM_MASTER_KEY")

        with pytest.raises(CommandError, match="Set LITELLM_MASTER_KEY"):
            reconcile("http://127.0.0.1:9")

    def test_is_an_address_where_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]

        with pytest.raises(CommandError, match=r"it cannot be reached: .*refused"):
            reconcile(f"http://127.0.0.1:{port}")

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1:4000", ""])
    def test_is_an_address_of_another_kind(self, url: str) -> None:
        with pytest.raises(CommandError, match="must begin with https:// or http://"):
            reconcile(url)

    @pytest.mark.parametrize(("since", "until"), [("2026-11-03", "2026-11-02"), ("soon", "2026-11-02")])
    def test_is_a_span_that_is_none(self, since: str, until: str) -> None:
        with pytest.raises(CommandError, match=r"must be earlier|is not a time"):
            reconcile("http://127.0.0.1:9", since=since, until=until)

    def test_amid_a_span_loses_nothing_and_says_where_to_go_on(
        self, server: SpendLogServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(spend_logs, "PAGE_ROWS", 3)
        server.rows, server.answers, server.refusal = rows_at(*range(7)), 2, (502, {}, b"")

        with pytest.raises(CommandError, match="5 gaps were filled; go on with --from 2026-11-02T09:00:02Z"):
            reconcile(server.url)

        assert Entry.objects.latest("number").details == {"accepted": 5, "duplicate": 0, "rejected": 0}
