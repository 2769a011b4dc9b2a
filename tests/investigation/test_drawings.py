"""The numbers and words of the drawings."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from governance.investigation.heat_map import build_heat_map
from governance.investigation.score_history import build_score_history

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)


class Scored(NamedTuple):
    assessed_at: datetime
    confirmed_at: datetime
    score: int
    band: str = "low"
    findings: list[dict[str, Any]] = []
    campaign: object = None
    licensed: bool = False
    model_version: str = "1"


def scored(day: int, score: int, **fields: Any) -> Scored:
    at = MONDAY + timedelta(days=day)
    return Scored(at, at, score, **fields)


class TestAHeatMap:
    def test_is_nothing_without_requests(self) -> None:
        assert build_heat_map([]) is None
        assert build_heat_map([(MONDAY, 0)]) is None

    def test_has_a_cell_for_each_hour_of_the_week_as_dark_as_it_was_used(self) -> None:
        drawn = build_heat_map([(MONDAY, 50), (MONDAY + timedelta(days=7), 50), (MONDAY + timedelta(hours=25), 1)])

        assert drawn is not None
        assert [(row.day, len(row.cells)) for row in drawn.rows][:2] == [("Monday", 24), ("Tuesday", 24)]
        assert (drawn.most, drawn.rows[0].cells[0].requests, drawn.rows[0].cells[0].opacity) == (100, 100, 1)
        assert drawn.rows[1].cells[1].opacity == 0.12
        assert drawn.rows[0].cells[1].opacity == 0

    def test_says_in_words_what_it_shows(self) -> None:
        drawn = build_heat_map((MONDAY + timedelta(hours=hour), 10 if 6 <= hour < 22 else 0) for hour in range(24))

        assert drawn is not None
        assert drawn.summary == (
            "Most requests come on Mondays, 06:00–06:59 UTC (10). The quietest 8 hours of the day are 22:00–05:59, "
            "with 0 % of the requests. It was active in 16 of the 168 hours of a week."
        )


class TestAScoreHistory:
    def test_is_nothing_without_scorings(self) -> None:
        assert build_score_history([], review_line=50) is None

    def test_of_one_scoring_is_a_level_line(self) -> None:
        drawn = build_score_history([scored(0, 40)], review_line=50)

        assert drawn is not None
        assert (drawn.path, drawn.line_y) == ("M0.0 60.0H600.0", 50)

    def test_goes_in_steps_and_tells_the_newest_first(self) -> None:
        drawn = build_score_history([scored(0, 40), scored(1, 60), scored(2, 60)], review_line=50)

        assert drawn is not None
        assert drawn.path == "M0.0 60.0H300.0V40.0H600.0V40.0H600.0"
        assert [(change.score, change.difference) for change in drawn.changes] == [(60, 0), (60, 20), (40, None)]

    def test_names_the_largest_changes_and_counts_the_others(self) -> None:
        points = {"a": 9, "b": -8, "c": 7, "d": 6, "e": 5, "f": 4}
        found = [{"detector": name, "title": name.upper(), "points": number} for name, number in points.items()]

        drawn = build_score_history([scored(0, 0), scored(1, 23, findings=found)], review_line=50)

        assert drawn is not None
        assert drawn.changes[0].because == [
            "new: A (+9)", "new: B (−8)", "new: C (+7)", "new: D (+6)", "and 2 smaller changes"
        ]  # fmt: skip

    def test_says_when_licence_campaign_or_calibration_changed(self) -> None:
        drawn = build_score_history(
            [scored(0, 40), scored(1, 40, campaign=1, licensed=True), scored(2, 40, campaign=2), scored(3, 40)],
            review_line=50,
        )

        assert drawn is not None
        assert [change.because for change in drawn.changes] == [
            ["it left its campaign"],
            ["its licence to train ended", "it joined another campaign"],
            ["a licence to train began", "it joined a campaign"],
            [],
        ]
