from datetime import UTC, datetime, timedelta

import pytest

from governance.review.chart import HEIGHT, STEP, HourlyUse, UsageChart, draw_chart

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)


def drawn(*uses: tuple[int, int, int]) -> UsageChart:
    """A chart of uses given as hours after Monday midnight, requests and output tokens."""
    made = draw_chart([HourlyUse(MONDAY + timedelta(hours=hour), requests, tokens) for hour, requests, tokens in uses])
    assert made is not None
    return made


class TestAChart:
    def test_of_nothing_is_none(self) -> None:
        assert draw_chart([]) is None

    def test_goes_by_the_hour_up_to_four_days(self) -> None:
        made = drawn((0, 1, 10), (95, 1, 10))

        assert (made.unit, len(made.requests.bars)) == ("hour", 96)

    def test_goes_by_the_day_beyond(self) -> None:
        made = drawn((5, 1, 10), (101, 1, 10))

        assert (made.unit, len(made.requests.bars)) == ("day", 5)

    def test_adds_up_the_hours_of_a_day(self) -> None:
        made = drawn((5, 2, 10), (6, 3, 20), (200, 1, 5))

        assert made.rows[0] == ("Mon 2 Nov", 5, 30)

    def test_leaves_room_for_hours_without_use(self) -> None:
        made = drawn((0, 4, 10), (3, 4, 10))

        assert [bar.height for bar in made.requests.bars] == [HEIGHT, 0, 0, HEIGHT]
        assert [bar.x for bar in made.requests.bars] == [0, STEP, 2 * STEP, 3 * STEP]

    def test_stands_on_its_base_line(self) -> None:
        half = drawn((0, 4, 10), (1, 2, 10)).requests.bars[1]

        assert (half.y, half.height) == (50.0, 50.0)

    def test_never_lets_something_look_like_nothing(self) -> None:
        assert drawn((0, 1_000_000, 10), (1, 1, 10)).requests.bars[1].height > 0

    def test_says_each_value_in_words(self) -> None:
        made = drawn((14, 1200, 10))

        assert made.requests.bars[0].label == "Mon 2 Nov, 14:00: 1,200 requests"

    @pytest.mark.parametrize("days", [1, 8])
    def test_gathers_the_hours_of_all_days_into_one_day(self, days: int) -> None:
        made = drawn(*((24 * day + 3, 5, 0) for day in range(days)))

        assert [bar.value for bar in made.by_hour.bars if bar.value] == [5 * days]
        assert made.by_hour.bars[3].value == 5 * days
