from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta, timezone

import pytest

from governance.platform.command_arguments import duration_argument, reason_argument, time_argument


@pytest.mark.parametrize(
    ("text", "length"),
    [("15m", timedelta(minutes=15)), ("1h", timedelta(hours=1)), ("9999d", timedelta(days=9999))],
)
def test_a_length_of_time_is_a_number_with_its_unit(text: str, length: timedelta) -> None:
    assert duration_argument(text) == length


@pytest.mark.parametrize("text", ["", "0d", "1", "d", "1w", "10000d", "-1d", "1h30m"])
def test_what_is_no_length_of_time_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="write 15m, 1h or 1d"):
        duration_argument(text)


def test_a_time_without_a_zone_is_in_utc() -> None:
    assert time_argument("2026-11-02") == datetime(2026, 11, 2, tzinfo=UTC)
    assert time_argument("2026-11-02T09:00:00+02:00") == datetime(2026, 11, 2, 9, tzinfo=timezone(timedelta(hours=2)))


def test_what_is_no_time_is_refused_with_what_to_write() -> None:
    with pytest.raises(ArgumentTypeError, match="write 2026-11-02 or"):
        time_argument("yesterday")


def test_a_reason_is_kept_without_blanks_around_it() -> None:
    assert reason_argument("  case 12/26\n") == "case 12/26"
    assert reason_argument("x" * 300) == "x" * 300


@pytest.mark.parametrize("text", ["", "  ", "x" * 301])
def test_a_reason_says_something_and_fits_the_log(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="give a reason of 1 to 300 characters"):
        reason_argument(text)
