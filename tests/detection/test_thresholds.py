from datetime import UTC, datetime, timedelta

import pytest

from governance.detection.scoring import REVIEW_LINE, Band
from governance.detection.thresholds import Response, due_at, response_to

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


class TestResponseTo:
    def test_leaves_a_licensed_distiller_alone_whatever_the_score(self) -> None:
        assert response_to(100, licensed=True) is Response.NOTHING

    def test_leaves_an_account_below_the_review_line_alone(self) -> None:
        assert response_to(REVIEW_LINE - 1, licensed=False) is Response.NOTHING

    def test_opens_a_case_from_the_review_line_on(self) -> None:
        assert response_to(REVIEW_LINE, licensed=False) is Response.CASE

    def test_takes_another_review_line(self) -> None:
        assert response_to(60, licensed=False, review_line=70) is Response.NOTHING


class TestDueAt:
    @pytest.mark.parametrize(("points", "hours"), [(95, 4), (70, 24), (REVIEW_LINE, 72)])
    def test_comes_sooner_the_higher_the_band(self, points: int, hours: int) -> None:
        assert due_at(points, opened_at=NOON) == NOON + timedelta(hours=hours)

    def test_takes_other_times(self) -> None:
        due = due_at(95, opened_at=NOON, due_after={band: timedelta(days=1) for band in Band})

        assert due == NOON + timedelta(days=1)
