"""From a score to the probability of a harvest, with its interval."""

from math import exp, sqrt

import pytest

from governance.detection.probability import ProbabilityCurve, probability


class TestLogOdds:
    @pytest.mark.parametrize(("points", "log_odds"), [(0, -2.0), (25, -2.0), (25.5, -1.9), (26, -1.8), (100, 13.0)])
    def test_rise_with_the_points_above_25(self, points: float, log_odds: float) -> None:
        assert ProbabilityCurve(intercept=-2.0, slope=0.2).log_odds(points) == pytest.approx(log_odds)


class TestTheirError:
    @pytest.mark.parametrize(
        ("points", "squared"),
        [
            pytest.param(10, 1.0, id="little was found: that of the intercept"),
            pytest.param(25, 1.0, id="at the least score that counts"),
            pytest.param(25.5, 1.0 - 2 * 0.05 * 0.5 + 0.04 * 0.25, id="half a point above"),
            pytest.param(30, 1.0 - 2 * 0.05 * 5 + 0.04 * 25, id="five points above"),
        ],
    )
    def test_is_that_of_intercept_and_slope_together(self, points: float, squared: float) -> None:
        curve = ProbabilityCurve(variance=(1.0, -0.05, 0.04))

        assert curve.error(points, texts=10) == pytest.approx(sqrt(squared))

    def test_is_never_less_than_nought(self) -> None:
        assert ProbabilityCurve(variance=(0.0, -1.0, 0.0)).error(26, texts=10) == 0.0

    @pytest.mark.parametrize(("texts", "added"), [(0, 1.0), (5, 0.5), (9, 0.1), (10, 0.0), (300, 0.0)])
    def test_is_the_larger_the_fewer_prompts_were_read(self, texts: int, added: float) -> None:
        curve = ProbabilityCurve(variance=(0.25, 0.0, 0.0))

        assert curve.error(0, texts=texts) == pytest.approx(sqrt(0.25 + added**2))


class TestProbability:
    def test_is_of_as_many_harvests_as_others_where_half_are(self) -> None:
        found = probability(0.0, 2.0, base_rate=0.5)

        assert found.value == 0.5
        assert found.low == pytest.approx(1 / (1 + exp(2 * 1.96)))
        assert found.high == pytest.approx(1 / (1 + exp(-2 * 1.96)))

    def test_is_less_where_harvests_are_rare(self) -> None:
        # Odds of 3 to 1 on even terms, of 1 to 3 where one account in ten is a harvest.
        assert probability(1.0986123, 0.0, base_rate=0.1).value == pytest.approx(0.25)

    @pytest.mark.parametrize("log_odds", [-700.0, -700.5, -800.0])
    def test_is_nought_where_it_is_too_small_to_be_computed(self, log_odds: float) -> None:
        assert probability(log_odds, 0.0, base_rate=0.5).value == 0.0
