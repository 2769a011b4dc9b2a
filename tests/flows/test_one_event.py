"""The same event twice is one event: from the door that it comes in by to the hours that pages show."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import Client

from accounts.models import Account
from governance.usage.actions import IntakeResult, record_lines
from governance.usage.models import EventConflict, UsageEvent
from tests.factories import NOW, case, line, person, usage_event
from tests.flows.sent_usage import MIDNIGHT, _at_nine, hours, key, send
from tests.waiting import wait_until

__all__ = ["_at_nine", "key"]  # fixtures

JUST_BEFORE, JUST_AFTER = ((MIDNIGHT + timedelta(milliseconds=step)).isoformat() for step in (-200, 200))
EARLY, LATE = ((MIDNIGHT + timedelta(hours=hours)).isoformat() for hours in (-8, 6))


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
