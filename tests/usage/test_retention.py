import logging
from datetime import date, timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from accounts.models import Account
from governance.audit.models import Entry
from governance.usage.actions import (
    OLDEST_IN_FILES,
    IntakeResult,
    compact_profiles,
    drop_old_usage,
    prepare_partitions,
    record_lines,
    reencrypt_data_keys,
)
from governance.usage.models import DataKey, HourlyProfile, ProfileDelta, UsageEvent, WeeklySketch
from governance.usage.partitions import count_events_in_default, list_partition_days
from governance.usage.queries import get_excerpts
from tests.factories import MACHINE, NOW, line

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
LONG_AGO = "2026-03-02T09:00:00Z"


def take(*lines: bytes) -> IntakeResult:
    return record_lines(lines, source="native", now=NOW, oldest=OLDEST_IN_FILES)


def put_into_default(event_id: str, day: date) -> None:
    """As if there had been no table for the day when the event came in."""
    take(line(id=event_id, occurred_at=f"{day}T09:00:00Z"))
    name = f"usage_usageevent_{day:%Y%m%d}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE stray AS SELECT * FROM {name}")  # noqa: S608 - a day of the test
        cursor.execute(f"DROP TABLE {name}")
        cursor.execute("INSERT INTO usage_usageevent SELECT * FROM stray")


class TestDays:
    def test_are_made_ahead(self) -> None:
        prepare_partitions(now=NOW)

        assert {TODAY + timedelta(days=offset) for offset in range(4)} <= set(list_partition_days())

    def test_are_made_for_events_of_any_day_of_a_file(self) -> None:
        take(line(occurred_at=LONG_AGO))

        assert date(2026, 3, 2) in list_partition_days()
        assert count_events_in_default() == {}

    def test_take_from_the_default_table_what_is_theirs_and_say_so(self, caplog: pytest.LogCaptureFixture) -> None:
        put_into_default("req_stray", date(2026, 3, 2))
        assert count_events_in_default() == {date(2026, 3, 2): 1}

        with caplog.at_level(logging.ERROR):
            prepare_partitions(now=NOW)

        assert count_events_in_default() == {}
        assert UsageEvent.objects.get().event_id == "req_stray"
        assert "1 usage events of 2026-03-02 had no partition" in caplog.text
        assert Entry.objects.latest("number").verb == "usage.default_partition_used"

    def test_leave_no_word_where_all_is_well(self, caplog: pytest.LogCaptureFixture) -> None:
        prepare_partitions(now=NOW)

        assert not caplog.records
        assert not Entry.objects.exists()


class TestDroppingOldUsage:
    @pytest.fixture(autouse=True)
    def _usage_of_now_and_long_ago(self, settings: Settings) -> None:
        settings.EVENT_DAYS, settings.PROFILE_DAYS = 90, 180
        take(line(id="req_old", occurred_at=LONG_AGO), line(id="req_new"))
        compact_profiles([Account.objects.get().pk])

    def test_drops_whole_days(self) -> None:
        dropped = drop_old_usage(now=NOW)

        assert dropped == [date(2026, 3, 2)]
        assert [event.event_id for event in UsageEvent.objects.all()] == ["req_new"]
        assert date(2026, 3, 2) not in list_partition_days()

    def test_drops_profiles_by_their_own_time(self, settings: Settings) -> None:
        drop_old_usage(now=NOW)
        assert HourlyProfile.objects.count() == WeeklySketch.objects.count() == 1

        settings.PROFILE_DAYS = 400
        take(line(id="req_again", occurred_at="2026-09-02T09:00:00Z"))
        drop_old_usage(now=NOW)

        assert (HourlyProfile.objects.count(), ProfileDelta.objects.count()) == (1, 1)

    def test_leaves_an_entry_for_each_day(self) -> None:
        drop_old_usage(now=NOW)

        entry = Entry.objects.get(verb="usage.day_dropped")
        assert (entry.subject_kind, entry.subject_id) == ("usage", "2026-03-02")

    def test_takes_no_event_of_a_dropped_day_again(self) -> None:
        drop_old_usage(now=NOW)

        outcome = take(line(id="req_old", occurred_at=LONG_AGO), line(id="req_other"))

        assert outcome.accepted == 1
        assert "too long ago: the oldest taken here is 2026-03-03" in outcome.rejected[0].reason

    def test_changes_nothing_the_second_time(self) -> None:
        drop_old_usage(now=NOW)

        assert drop_old_usage(now=NOW) == []


class TestDataKeys:
    @pytest.fixture(autouse=True)
    def _an_excerpt(self, settings: Settings) -> None:
        settings.EXCERPT_KEYS = [b"the first key of the installation"]
        take(line(messages=[{"role": "user", "content": "How tall is it?"}]))

    def shown(self) -> list[str]:
        return [excerpt.text for excerpt in get_excerpts(Account.objects.get(), at=NOW)]

    def test_are_random_and_kept_wrapped(self) -> None:
        take(line(account="acct_other", messages=[{"role": "user", "content": "How old is it?"}]))

        one, other = (bytes(key.encrypted_key) for key in DataKey.objects.all())
        assert one != other
        assert len(one) == 40

    def test_are_wrapped_anew_when_the_key_of_the_installation_changes(self, settings: Settings) -> None:
        settings.EXCERPT_KEYS = [b"the second key", *settings.EXCERPT_KEYS]
        assert self.shown() == ["How tall is it?"]

        rewrapped = reencrypt_data_keys(by=MACHINE, now=NOW)

        settings.EXCERPT_KEYS = [b"the second key"]
        assert rewrapped == 1
        assert self.shown() == ["How tall is it?"]

    def test_take_the_excerpts_with_them(self) -> None:
        DataKey.objects.all().delete()

        assert self.shown() == []
