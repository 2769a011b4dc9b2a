import gzip
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
import zstandard
from pytest_django import Settings

from accounts.models import Account, ApiKey
from governance.audit.models import Entry
from governance.usage.actions import IntakeResult, compact_profiles, record_lines
from governance.usage.models import DirtyAccount, Excerpt, HourlyProfile, ProfileDelta, UsageEvent
from governance.usage.queries import get_excerpts
from tests.commands import run_command
from tests.factories import NOW, account, line, usage_event

pytestmark = pytest.mark.django_db


def record(*lines: bytes) -> IntakeResult:
    return record_lines(lines, source="native", now=NOW)


class TestRecordingEvents:
    def test_stores_them(self) -> None:
        record(line(id="req_1", output_tokens=1403))

        event = UsageEvent.objects.get()
        assert (event.event_id, event.output_tokens, event.status) == ("req_1", 1403, "ok")

    def test_creates_accounts_and_keys_not_seen_before(self) -> None:
        record(line(account="acct_new", organisation="org_new", api_key="key_new"))

        assert ApiKey.objects.get().account == Account.objects.get(external_id="acct_new")

    def test_takes_the_same_event_twice_as_one(self) -> None:
        first = record(line(id="req_1"))
        second = record(line(id="req_1"))

        assert (first.accepted, second.accepted, second.duplicate) == (1, 0, 1)
        assert UsageEvent.objects.count() == 1

    def test_takes_the_same_event_twice_in_a_batch_as_one(self) -> None:
        outcome = record(line(id="req_1"), line(id="req_1"))

        assert (outcome.accepted, outcome.duplicate) == (1, 1)

    def test_keeps_events_of_two_sources_apart(self) -> None:
        record(line(id="req_1"))
        outcome = record_lines([line(id="req_1")], source="litellm", now=NOW)

        assert outcome.accepted == 1

    def test_puts_an_event_into_the_day_of_its_own_time(self) -> None:
        record(line(occurred_at="2026-11-01T23:59:59.999Z"), line(occurred_at="2026-11-02T01:00:00+02:00"))

        assert {str(event.day) for event in UsageEvent.objects.all()} == {"2026-11-01"}

    def test_adds_them_up_by_hour_and_model(self) -> None:
        record(line(output_tokens=100, occurred_at="2026-11-02T08:05:00Z"))
        record(line(output_tokens=20, occurred_at="2026-11-02T08:55:00Z", status="refused"))
        record(line(output_tokens=3, occurred_at="2026-11-02T09:00:00Z"))

        compact_profiles([Account.objects.get().pk])

        hours = HourlyProfile.objects.order_by("hour").values_list("requests", "failures", "output_tokens")
        assert list(hours) == [(2, 1, 120), (1, 0, 3)]

    def test_counts_a_duplicate_in_no_profile(self) -> None:
        record(line(id="req_1"))
        record(line(id="req_1"))

        assert ProfileDelta.objects.get().requests == 1

    def test_marks_their_accounts_dirty_with_a_new_version_each_batch(self) -> None:
        record(line())
        record(line())

        assert DirtyAccount.objects.get().version == 2

    def test_leaves_an_account_clean_that_sent_nothing_new(self) -> None:
        record(line(id="req_1"))
        DirtyAccount.objects.all().delete()

        record(line(id="req_1"))

        assert not DirtyAccount.objects.exists()

    def test_keeps_no_word_of_the_text_in_the_event(self) -> None:
        record(line(messages=[{"role": "user", "content": "Tell me about the quokka"}]))

        event = UsageEvent.objects.values().get()
        assert event["prompt_digest"] is not None
        assert "quokka" not in str(event)

    def test_takes_events_without_text(self) -> None:
        record(line())

        assert UsageEvent.objects.get().prompt_digest is None


class TestABadLine:
    @pytest.mark.parametrize(
        ("bad", "reason"),
        [
            (b"nonsense", "^it is not JSON: invalid character"),
            (b"[]", "^it must be a JSON object$"),
            (json.dumps({"id": "req_1"}).encode(), "^occurred_at is missing$"),
            (line(input_tokens=-1), "^input_tokens must be a whole number from 0 to 2,147,483,647$"),
            (line(input_tokens=812.5), "^input_tokens must be a whole number from 0 to 2,147,483,647$"),
            (line(parameters={"temperature": 1e6}), "^parameters.temperature must be a number from -1,000 to 1,000$"),
            (line(parameters={"logprobs": 7}), "^parameters.logprobs must be true or false$"),
            (line(prompt=7), "^prompt must be a text or a list$"),
            (line(client=7), "^client must be a JSON object$"),
            (line(output_tokens=2**70), "input_tokens|output_tokens"),
            (line(output_tokens=2**31), "^output_tokens must be a whole number"),
            (line(occurred_at="2026-11-02T09:10:00"), "no time zone"),
            (line(occurred_at="2026-11-02T09:30:00Z"), "10 minutes ahead"),
            (line(occurred_at="2026-09-02T09:10:00Z"), "too long ago"),
            (line(status="fine"), "^status must be one of error, ok, rate_limited, refused, not 'fine'$"),
            (line(account="a\0b"), "^account must not hold the character NUL$"),
            (line(client={"ip": "next door"}), "client.ip is not an IPv4 or IPv6 address"),
            (line(client={"ip": "fe80::1%eth0"}), "names a network interface"),
            (line(account=""), "^account must be a text of 1 to 128 characters$"),
            (b"[" * 5000, "nested|must be a JSON object"),
            (b'{"id": "\xff"}', "UTF-8|invalid"),
        ],
    )
    def test_is_named_with_its_reason_and_refuses_no_other(self, bad: bytes, reason: str) -> None:
        outcome = record(line(), bad, line())

        assert outcome.accepted == 2
        (rejection,) = outcome.rejected
        assert rejection.line == 2
        assert re.search(reason, rejection.reason), rejection.reason

    def test_is_passed_over_when_it_is_empty(self) -> None:
        assert record(b"", line(), b"  \n").rejected == []


class TestExcerpts:
    @pytest.fixture(autouse=True)
    def _two_a_day(self, settings: Settings) -> None:
        settings.EXCERPTS_PER_DAY = 2

    @staticmethod
    def prompts(count: int, *, first: int = 0) -> list[bytes]:
        return [
            line(id=f"req_{number}", messages=[{"role": "user", "content": f"Question {number}"}])
            for number in range(first, first + count)
        ]

    def test_are_kept_up_to_a_number_a_day(self) -> None:
        record(*self.prompts(5))

        assert Excerpt.objects.count() == 2

    def test_are_the_same_sample_whatever_the_batches(self) -> None:
        everything = self.prompts(9)
        record(*everything)
        together = set(Excerpt.objects.values_list("key", flat=True))
        UsageEvent.objects.all().delete()
        Excerpt.objects.all().delete()

        for one in reversed(everything):
            record(one)

        assert set(Excerpt.objects.values_list("key", flat=True)) == together

    def test_can_be_read_on_a_page_and_not_in_the_table(self) -> None:
        record(*self.prompts(1))

        owner = Account.objects.get()
        assert [shown.text for shown in get_excerpts(owner, at=NOW)] == ["Question 0"]
        assert b"Question" not in bytes(Excerpt.objects.get().ciphertext)

    def test_are_not_shown_once_their_time_is_over(self, settings: Settings) -> None:
        record(*self.prompts(1))

        later = NOW + timedelta(days=settings.EXCERPT_DAYS)
        assert get_excerpts(Account.objects.get(), at=later) == []

    def test_are_not_kept_where_the_setting_says_none(self, settings: Settings) -> None:
        settings.EXCERPTS_PER_DAY = 0

        record(*self.prompts(1))

        assert not Excerpt.objects.exists()


class TestTheCommand:
    EVENTS = "\n".join(json.dumps(usage_event(id=f"req_{number}")) for number in range(3)).encode() + b"\nnonsense\n"

    def run(self, file: Path) -> tuple[str, str]:
        out, err, _ = run_command("import_usage", str(file))
        return out, err

    @pytest.mark.parametrize(
        ("name", "packed"),
        [
            ("events.jsonl", EVENTS),
            ("events.jsonl.gz", gzip.compress(EVENTS)),
            ("events.jsonl.zst", zstandard.compress(EVENTS)),
        ],
    )
    def test_reads_lines_however_they_are_packed(self, tmp_path: Path, name: str, packed: bytes) -> None:
        file = tmp_path / name
        file.write_bytes(packed)

        out, err = self.run(file)

        assert "3 accepted, 0 duplicate, 1 rejected" in out
        assert f"{file} line 4: " in err

    def test_reads_parquet(self, tmp_path: Path) -> None:
        file = tmp_path / "events.parquet"
        pl.DataFrame([usage_event(id=f"req_{number}") for number in range(3)]).write_parquet(file)

        out, _ = self.run(file)

        assert "3 accepted" in out

    def test_adds_nothing_when_the_same_file_comes_again(self, tmp_path: Path) -> None:
        file = tmp_path / "events.jsonl"
        file.write_bytes(self.EVENTS)
        self.run(file)

        out, _ = self.run(file)

        assert "0 accepted, 3 duplicate" in out
        assert UsageEvent.objects.count() == 3

    def test_leaves_an_entry(self, tmp_path: Path) -> None:
        file = tmp_path / "events.jsonl"
        file.write_bytes(self.EVENTS)

        self.run(file)

        entry = Entry.objects.latest("number")
        assert (entry.verb, entry.details) == ("usage.imported", {"accepted": 3, "duplicate": 0, "rejected": 1})

    @pytest.mark.parametrize(
        ("name", "pack"), [("events.jsonl.gz", gzip.compress), ("events.jsonl.zst", zstandard.compress)]
    )
    def test_says_when_a_file_was_cut(self, tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
        file = tmp_path / name
        file.write_bytes(pack(self.EVENTS)[:-3])

        assert "damaged" in self.run(file)[1]

    def test_reads_frames_one_behind_the_other(self, tmp_path: Path) -> None:
        file = tmp_path / "events.jsonl.zst"
        file.write_bytes(b"".join(zstandard.compress(part) for part in self.EVENTS.splitlines(keepends=True)))

        out, _ = self.run(file)

        assert "3 accepted, 0 duplicate, 1 rejected" in out

    def test_fails_where_a_line_was_rejected_after_taking_the_others_of_all_files(self, tmp_path: Path) -> None:
        bad, good = tmp_path / "bad.jsonl", tmp_path / "good.jsonl"
        bad.write_bytes(self.EVENTS + b"[]\n")
        good.write_bytes(line(id="req_last"))

        ran = run_command("import_usage", str(bad), str(good))

        assert "3 accepted, 0 duplicate, 2 rejected" in ran.out
        assert UsageEvent.objects.count() == 4
        assert ran.err.endswith(f"CommandError: 2 lines of {bad} were rejected.\n")
        assert ran.status == 1

    def test_ends_well_where_every_line_was_taken_or_is_here(self, tmp_path: Path) -> None:
        file = tmp_path / "events.jsonl"
        file.write_bytes(line(id="req_1") + b"\n" + line(id="req_1"))

        ran = run_command("import_usage", str(file))

        assert (ran.err, ran.status) == ("", 0)

    def test_says_when_a_file_is_not_what_its_name_says(self, tmp_path: Path) -> None:
        file = tmp_path / "events.jsonl.gz"
        file.write_bytes(self.EVENTS)

        assert "not what its name says" in self.run(file)[1]


def test_an_account_of_the_register_gets_the_usage() -> None:
    harbour = account("acct_harbour")

    record(line(account="acct_harbour"))

    assert UsageEvent.objects.get().account == harbour
