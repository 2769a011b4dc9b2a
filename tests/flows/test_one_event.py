"""The same event twice is one event: from the door that it comes in by to the hours that pages show."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
import time_machine
from django.db import connection, connections, transaction
from django.test import Client

from accounts.models import Account
from governance.usage.actions import IntakeResult, compact_profiles, record_lines
from governance.usage.models import DirtyAccount, EventConflict, HourlyProfile, UsageEvent
from governance.usage.queries import get_hourly_usage
from tests.factories import NOW, case, line, person, service_key, usage_event
from tests.usage.litellm import failure, payload
from tests.waiting import wait_until

MIDNIGHT = datetime(2026, 11, 2, tzinfo=UTC)
JUST_BEFORE, JUST_AFTER = ((MIDNIGHT + timedelta(milliseconds=step)).isoformat() for step in (-200, 200))


@pytest.fixture(autouse=True)
def _at_nine() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def key() -> dict[str, Any]:
    return service_key("usage:write")[1]


def send(client: Client, key: dict[str, Any], *events: dict[str, Any], to: str = "/api/v1/usage-events") -> Any:
    body: Any = {"events": events} if to == "/api/v1/usage-events" else events
    answer = client.post(to, json.dumps(body), content_type="application/json", **key)
    assert answer.status_code == 202, answer.content
    return answer.json()


def hours(account: str = "acct_harbour") -> list[tuple[int, int, int]]:
    """Requests and tokens of each hour, as the chart of the case page has them."""
    used_by = Account.objects.get(external_id=account)
    compact_profiles([used_by.pk])
    found = get_hourly_usage(used_by, start=MIDNIGHT - timedelta(days=9), end=MIDNIGHT + timedelta(days=9))
    return [(hour.requests, hour.input_tokens, hour.output_tokens) for hour in found]


@pytest.mark.django_db
class TestTheSameIdOnTwoDays:
    @pytest.mark.parametrize("order", [(JUST_BEFORE, JUST_AFTER), (JUST_AFTER, JUST_BEFORE)])
    def test_is_one_event_over_midnight_in_two_batches(
        self, client: Client, key: dict[str, Any], order: tuple[str, str]
    ) -> None:
        first, second = (send(client, key, usage_event(id="night", occurred_at=at)) for at in order)

        assert (first["accepted"], second["accepted"], second["duplicate"]) == (1, 0, 1)
        assert UsageEvent.objects.count() == 1
        assert hours() == [(1, 812, 1403)]

    def test_is_one_event_in_one_batch_that_is_late(self, client: Client, key: dict[str, Any]) -> None:
        late = [(MIDNIGHT - timedelta(days=days, hours=1)).isoformat() for days in (3, 4)]

        answer = send(client, key, *(usage_event(id="late", occurred_at=at) for at in late))

        assert (answer["accepted"], answer["duplicate"]) == (1, 1)
        assert hours() == [(1, 812, 1403)]

    @pytest.mark.parametrize("later", [timedelta(hours=1), timedelta(hours=23, minutes=59), timedelta(hours=24)])
    def test_is_one_event_where_a_gateway_stamps_at_sending_and_sends_again(
        self, client: Client, key: dict[str, Any], later: timedelta
    ) -> None:
        sent = MIDNIGHT - timedelta(hours=16)
        send(client, key, usage_event(id="again", occurred_at=sent.isoformat()))

        answer = send(client, key, usage_event(id="again", occurred_at=(sent + later).isoformat()))

        assert (answer["accepted"], answer["duplicate"]) == (0, 1)

    def test_leaves_the_others_of_its_batch_new(self, client: Client, key: dict[str, Any]) -> None:
        send(client, key, usage_event(id="night", occurred_at=JUST_BEFORE))

        answer = send(client, key, usage_event(id="night", occurred_at=JUST_AFTER), usage_event(), usage_event())

        assert (answer["accepted"], answer["duplicate"]) == (2, 1)

    def test_is_another_event_two_days_later(self, client: Client, key: dict[str, Any]) -> None:
        for days in (0, 2, 4):
            send(client, key, usage_event(id="used again", occurred_at=(MIDNIGHT - timedelta(days=days)).isoformat()))

        assert UsageEvent.objects.count() == 3


EARLY, LATE = ((MIDNIGHT + timedelta(hours=hours)).isoformat() for hours in (-8, 6))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("copies", [(JUST_BEFORE, JUST_AFTER), (EARLY, LATE), (LATE, EARLY), (LATE, LATE)])
def test_two_batches_at_once_count_an_event_once_on_whatever_days(copies: tuple[str, str]) -> None:
    record_lines([line(occurred_at=at) for at in copies], source="native", now=NOW)  # days are made
    outcomes: list[IntakeResult] = []

    def second() -> None:
        outcomes.append(record_lines([line(id="night", occurred_at=copies[1])], source="native", now=NOW))
        connections.close_all()

    other = threading.Thread(target=second)
    with transaction.atomic():
        outcomes.append(record_lines([line(id="night", occurred_at=copies[0])], source="native", now=NOW))
        other.start()
        wait_until(_somebody_waits_for_a_lock, "the second batch waits for the first")
    other.join()

    assert [outcome.accepted for outcome in outcomes] == [1, 0]
    assert UsageEvent.objects.filter(event_id="night").count() == 1
    assert sum(requests for requests, *_ in hours()) == 3


def _somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db
class TestAnIdThatSomebodyElseNamedFirst:
    def test_hides_no_event_of_another_account(self, client: Client, key: dict[str, Any]) -> None:
        send(client, key, usage_event(id="req_8f3a", account="acct_decoy", input_tokens=1, output_tokens=1))

        answer = send(client, key, usage_event(id="req_8f3a", account="acct_harbour"))

        assert (answer["accepted"], answer["duplicate"]) == (1, 0)
        assert hours() == [(1, 812, 1403)]

    def test_hides_none_where_ids_of_accounts_and_events_read_alike(self, client: Client, key: dict[str, Any]) -> None:
        both = [usage_event(account="a\nb", id="c"), usage_event(account="a", id="b\nc")]

        assert send(client, key, *both)["accepted"] == 2

    @pytest.mark.parametrize(
        "other",
        [{"output_tokens": 9_000}, {"input_tokens": 0}, {"model": "flagship-3"}, {"occurred_at": JUST_AFTER}],
        ids=["output", "input", "model", "time"],
    )
    @pytest.mark.parametrize("batches", [1, 2])
    def test_is_seen_where_the_account_is_the_same_and_the_content_another(
        self, client: Client, key: dict[str, Any], other: dict[str, Any], batches: int
    ) -> None:
        first = usage_event(id="req_8f3a", occurred_at=JUST_BEFORE)
        both = [first, first | other]

        answers = [send(client, key, *both)] if batches == 1 else [send(client, key, one) for one in both]

        assert (answers[-1]["duplicate"], answers[-1]["conflicts"]) == (1, 1)
        seen = EventConflict.objects.values_list("account__external_id", "source", "events", "in_time_alone").get()
        assert seen == ("acct_harbour", "native", 1, int("occurred_at" in other))
        assert hours() == [(1, 812, 1403)]

    def test_is_seen_on_the_page_of_the_case(self, client: Client, key: dict[str, Any]) -> None:
        for tokens in (1, 2, 3):
            send(client, key, usage_event(id="req_8f3a", output_tokens=tokens))
        about = case(Account.objects.get())
        client.force_login(person())

        page = client.get(f"/cases/{about.pk}/").content.decode()

        assert "2 events repeated the id of an earlier event with other content" in " ".join(page.split())

    def test_is_logged_without_a_word_of_the_customer(
        self, client: Client, key: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        for tokens in (7, 8):
            messages = [{"role": "user", "content": "Tell me about the quokka"}]
            send(client, key, usage_event(id="quokka-1", output_tokens=tokens, messages=messages))

        assert "repeated the id of an earlier event" in caplog.text
        assert "quokka" not in caplog.text

    def test_is_no_conflict_where_it_is_told_again_or_with_its_figures(
        self, client: Client, key: dict[str, Any]
    ) -> None:
        uncounted = {"input_tokens": None, "output_tokens": None}
        event = usage_event(id="req_8f3a")

        answers = [send(client, key, one) for one in (event | uncounted, event, event, event | uncounted)]

        assert not any("conflicts" in answer for answer in answers)
        assert not EventConflict.objects.exists()
        assert hours() == [(1, 812, 1403)]


LITELLM = "/api/v1/sources/litellm"
POLLED: dict[str, Any] = {
    "call_type": "aget_responses",
    "messages": [{"role": "user", "content": "<retrieve_response>"}],
}


@pytest.mark.django_db
class TestAnAnswerMadeInTheBackground:
    BEGUN: ClassVar[dict[str, Any]] = {
        "id": "resp_1",
        "call_type": "aresponses",
        "prompt_tokens": 0,
        "completion_tokens": 0,
    }
    DONE: ClassVar[dict[str, Any]] = {
        "id": "resp_1",
        "call_type": "aresponses",
        "prompt_tokens": 121,
        "completion_tokens": 400,
    }

    @pytest.mark.parametrize("done", [DONE, DONE | POLLED], ids=["sent again", "polled"])
    @pytest.mark.parametrize("batches", [1, 2])
    def test_counts_once_with_its_figures_and_its_question(
        self, client: Client, key: dict[str, Any], done: dict[str, Any], batches: int
    ) -> None:
        begun, done = payload(**self.BEGUN), payload(**done)
        for batch in ([begun, done],) if batches == 1 else ([begun], [done]):
            send(client, key, *batch, to=LITELLM)

        event = UsageEvent.objects.get()
        assert (event.input_tokens, event.output_tokens) == (121, 400)
        assert event.prompt_digest is not None
        assert hours("team_harbour") == [(1, 121, 400)]

    def test_counts_once_however_often_it_is_told_and_polled(self, client: Client, key: dict[str, Any]) -> None:
        reports = [payload(**self.BEGUN), payload(**self.DONE), *(payload(**self.DONE | POLLED) for _ in range(3))]
        for one in (*reports, *reports):
            send(client, key, one, to=LITELLM)

        assert hours("team_harbour") == [(1, 121, 400)]

    def test_has_its_account_scored_again_when_its_figures_come(self, client: Client, key: dict[str, Any]) -> None:
        send(client, key, payload(**self.BEGUN), to=LITELLM)
        before = DirtyAccount.objects.get().version

        send(client, key, payload(**self.DONE), to=LITELLM)

        assert DirtyAccount.objects.get().version > before

    def test_leaves_the_rhythm_of_requests_as_it_was(self, client: Client, key: dict[str, Any]) -> None:
        send(client, key, payload(**self.BEGUN), to=LITELLM)
        send(client, key, payload(**self.DONE), to=LITELLM)

        compact_profiles([Account.objects.get().pk])

        assert HourlyProfile.objects.get().gaps == 0


@pytest.mark.django_db
class TestACallToLiteLlm:
    def test_is_another_than_one_whose_answer_has_the_same_id(self, client: Client, key: dict[str, Any]) -> None:
        answer = send(client, key, *(payload(id="chatcmpl-1") for _ in range(3)), to=LITELLM)

        assert answer["accepted"] == 3

    @pytest.mark.parametrize("nothing", ["None", "", None])
    def test_is_another_than_one_without_an_id_too(self, client: Client, key: dict[str, Any], nothing: Any) -> None:
        answer = send(client, key, *(payload(id=nothing) for _ in range(3)), to=LITELLM)

        assert answer["accepted"] == 3

    def test_is_the_same_when_it_is_told_again(self, client: Client, key: dict[str, Any]) -> None:
        reports = [payload(id="chatcmpl-1"), payload(id="chatcmpl-1"), payload(id="None"), failure(error_code="500")]
        send(client, key, *reports, to=LITELLM)

        answer = send(client, key, *reports, to=LITELLM)

        assert (answer["accepted"], answer["duplicate"]) == (0, 4)

    @pytest.mark.parametrize(
        "call_type",
        ["aget_responses", "get_responses", "alist_input_items", "acancel_responses", "adelete_responses",
         "avideo_retrieve", "aretrieve_fine_tuning_job"],
    )  # fmt: skip
    def test_that_only_reads_an_answer_is_no_request(self, client: Client, key: dict[str, Any], call_type: str) -> None:
        made = payload(id="resp_made", call_type="aresponses")
        reads = [payload(id=f"resp_read_{number}", call_type=call_type) for number in range(3)]

        send(client, key, *reads, to=LITELLM)
        send(client, key, made, *reads, to=LITELLM)

        assert UsageEvent.objects.get().event_id == "resp_made"

    @pytest.mark.parametrize("begun", [(0, 0), (121, 0), (None, None)])
    @pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 1), (1, 0, 1)])
    def test_whose_answer_is_made_in_the_background_is_one_in_any_order(
        self, client: Client, key: dict[str, Any], begun: tuple[Any, Any], order: tuple[int, ...]
    ) -> None:
        reports: list[dict[str, Any]] = [
            {"prompt_tokens": given, "completion_tokens": got} for given, got in (begun, (121, 400))
        ]

        for number in order:
            send(client, key, payload(id="resp_made", call_type="aresponses", **reports[number]), to=LITELLM)

        assert UsageEvent.objects.values_list("input_tokens", "output_tokens").get() == (121, 400)

    def test_is_not_completed_by_reading_an_answer_that_is_not_finished(
        self, client: Client, key: dict[str, Any]
    ) -> None:
        send(
            client, key, payload(id="resp_1", call_type="aresponses", prompt_tokens=0, completion_tokens=0), to=LITELLM
        )
        for got in (0, 400):
            read = payload(id="resp_1", call_type="aget_responses", prompt_tokens=121, completion_tokens=got)
            send(client, key, read, to=LITELLM)

        assert UsageEvent.objects.values_list("input_tokens", "output_tokens").get() == (121, 400)

    @pytest.mark.parametrize("call", [None, "chosen by the customers"])
    @pytest.mark.parametrize("answer", ["same", "None"])
    def test_of_another_account_is_another(
        self, client: Client, key: dict[str, Any], call: str | None, answer: str
    ) -> None:
        both = [
            payload(id=answer, litellm_call_id=call, metadata={"user_api_key_team_id": team}) for team in ("a", "b")
        ]

        assert send(client, key, *both, to=LITELLM)["accepted"] == 2

    def test_that_reads_a_batch_counts_the_batch_once(self, client: Client, key: dict[str, Any]) -> None:
        for _ in range(3):
            send(client, key, payload(id="batch_1", call_type="aretrieve_batch"), to=LITELLM)

        assert UsageEvent.objects.count() == 1
