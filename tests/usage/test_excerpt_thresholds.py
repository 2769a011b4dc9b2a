"""What a process remembers of full samples, so that it need not ask the database about each prompt."""

from datetime import timedelta

import pytest

from governance.usage import excerpts
from governance.usage.excerpts import ExcerptCandidate, _Thresholds
from governance.usage.wire import UsageEvent
from tests.factories import NOW

DAY = NOW.date()


def candidate(account: int, key: str) -> ExcerptCandidate:
    event = UsageEvent(
        id="req_1", occurred_at=NOW, account=f"acct_{account}", model="flagship-2", input_tokens=1, output_tokens=1
    )
    return ExcerptCandidate(key, account, event)


def test_prompts_above_the_highest_that_is_kept_are_passed_over_for_an_hour() -> None:
    thresholds = _Thresholds()
    known = thresholds.is_below(candidate(1, "b"), now=NOW)
    thresholds.add({(1, DAY): "b"})

    below = [thresholds.is_below(candidate(1, key), now=NOW) for key in ("a", "b", "c")]

    assert known
    assert below == [True, False, False]
    assert thresholds.is_below(candidate(1, "c"), now=NOW + timedelta(hours=1))


def test_no_more_is_remembered_than_fits_the_memory_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excerpts, "MAX_CACHED_THRESHOLDS", 2)
    thresholds = _Thresholds()
    thresholds.is_below(candidate(1, "b"), now=NOW)
    for account in (1, 2, 3):
        thresholds.add({(account, DAY): "b"})

    assert [thresholds.is_below(candidate(account, "c"), now=NOW) for account in (1, 2, 3)] == [True, True, False]
