from datetime import UTC, datetime, timedelta

import pytest

from governance.review import wording
from governance.review.models import ACTIONS
from governance.review.templatetags.wording import initials, person

NOW = datetime(2026, 11, 2, 9, 14, tzinfo=UTC)


class TestATime:
    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (20, "just now"),
            (300, "5 min ago"),
            (7200, "2 h ago"),
            (24 * 3600, "1 day ago"),
            (26 * 3600, "1 day 2 h ago"),
            (200_000, "2 days ago"),
            (8_640_000, "3 months ago"),
            (-7200, "in 2 h"),
        ],
    )
    def test_is_told_from_now(self, seconds: int, words: str) -> None:
        assert wording.format_ago(NOW - timedelta(seconds=seconds), now=NOW) == words

    @pytest.mark.parametrize(
        ("hours", "words"), [(3, "due in 3 h"), (-3, "3 h overdue"), (72, "due in 3 days"), (-26, "1 day 2 h overdue")]
    )
    def test_by_which_something_is_due_says_so(self, hours: int, words: str) -> None:
        assert wording.format_due(NOW + timedelta(hours=hours), now=NOW) == words


class TestANumber:
    @pytest.mark.parametrize(
        ("number", "words"), [(950, "950"), (12_400, "12.4 k"), (3_000_000, "3 M"), (2.5e9, "2.5 G")]
    )
    def test_is_short_in_a_row(self, number: float, words: str) -> None:
        assert wording.format_compact(number) == words

    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("reasoning_share", 0.934, "93 %"),
            ("events", 2310, "2,310"),
            ("mean_n", 1.50, "1.5"),
            ("seeded", True, "yes"),
            ("seed", None, "unknown"),
            ("model", "flagship-2", "flagship-2"),
        ],
    )
    def test_of_evidence_is_written_as_people_write_it(self, name: str, value: object, words: str) -> None:
        assert wording.format_figure(name, value) == words


class TestAWord:
    def test_stands_for_every_action_and_every_kind_of_restriction(self) -> None:
        assert all(wording.outcome_word(action) for action in ACTIONS)


class TestAName:
    @pytest.mark.parametrize(
        ("name", "letters"), [("Mira Okafor", "MO"), ("Ada", "A"), ("Ana de la Cruz", "AC"), ("", "?")]
    )
    def test_is_known_by_its_initials(self, name: str, letters: str) -> None:
        assert initials(name) == letters

    def test_of_an_author_is_shown_without_what_kind_they_are(self) -> None:
        assert person("staff:Mira Okafor") == "Mira Okafor"
