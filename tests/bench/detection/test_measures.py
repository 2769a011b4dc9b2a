import math

import pytest

from governance.bench.detection.measures import Share, flagged_by_family, measure, measure_world
from tests.bench.detection.worlds import customer, world


class TestMeasure:
    def test_counts_the_pairs_in_which_a_harvest_scores_more(self) -> None:
        """3 beats 2 and 0, 1 beats 0 alone: three pairs of four. Found first and third: (1/1 + 2/3) / 2."""
        measures = measure([3, 1, 2, 0], [True, True, False, False])

        assert measures.auroc == 3 / 4
        assert measures.average_precision == pytest.approx(5 / 6)

    def test_gives_the_area_an_interval(self) -> None:
        """The harvests win against 1 and 1/2 of the others, who lose to 1/2 and 1: variances of 1/8, and so an error
        of √(1/16 + 1/16), by 3/4 × 1/4 on the log odds, which are ln 3.
        """
        error = math.sqrt(1 / 8) / (3 / 16)
        low, high = (1 / (1 + math.exp(-(math.log(3) + side * error))) for side in (-1.96, 1.96))

        assert measure([3, 1, 2, 0], [True, True, False, False]).auroc_interval == pytest.approx((low, high))

    def test_takes_a_tie_for_a_miss(self) -> None:
        measures = measure([5, 5, 5, 5], [True, True, False, False])

        assert measures.auroc == 0
        assert measures.recall_strict == Share(0, 2)
        assert measures.average_precision == pytest.approx((1 / 3 + 2 / 4) / 2)

    def test_is_best_where_every_harvest_comes_first(self) -> None:
        measures = measure([9, 8, 2, 1], [True, True, False, False])

        assert (measures.auroc, measures.auroc_interval, measures.average_precision) == (1, (1, 1), 1)
        assert measures.recall_strict == Share(2, 2)

    def test_lets_one_in_a_thousand_through(self) -> None:
        """Of 1,000 others one scores 90 and one 80: what scores more than 80 is found, what scores 80 is not."""
        others = [90.0, 80.0] + [10.0] * 998

        measures = measure([*others, 95, 85, 80, 70], [False] * 1000 + [True] * 4)

        assert measures.recall_strict == Share(2, 4)
        assert measures.threshold == 80

    def test_lets_nobody_through_where_there_are_fewer(self) -> None:
        measures = measure([90.0] + [10.0] * 998 + [95, 85], [False] * 999 + [True] * 2)

        assert measures.recall_strict == Share(1, 2)
        assert measures.threshold == 90

    def test_lets_one_in_a_hundred_through(self) -> None:
        measures = measure([90.0, 80.0] + [10.0] * 98 + [85, 70], [False] * 100 + [True] * 2)

        assert measures.recall_percent == Share(1, 2)

    def test_looks_at_the_first_fifty_and_two_hundred(self) -> None:
        measures = measure([9.0] * 40 + [1.0] * 160, [True] * 40 + [False] * 160)

        assert measures.precision_50 == Share(40, 50)
        assert measures.precision_200 == Share(40, 200)

    def test_knows_no_first_fifty_of_fewer(self) -> None:
        assert measure([1, 2], [True, False]).precision_50 == Share(0, 0)

    @pytest.mark.parametrize("malicious", [[True, True], [False, False]])
    def test_has_no_area_without_both_sides(self, malicious: list[bool]) -> None:
        measures = measure([1, 2], malicious)

        assert math.isnan(measures.auroc)
        assert measures.auroc_interval == (0, 1)

    def test_refuses_what_is_not_a_number(self) -> None:
        with pytest.raises(ValueError, match="no place in a ranking"):
            measure([1, math.nan], [True, False])


class TestAShare:
    @pytest.mark.parametrize(
        ("share", "low", "high"), [(Share(0, 10), 0, 0.2775), (Share(5, 10), 0.2366, 0.7634), (Share(0, 0), 0, 1)]
    )
    def test_has_wilsons_interval(self, share: Share, low: float, high: float) -> None:
        assert share.interval == pytest.approx((low, high), abs=1e-4)

    def test_reads_well(self) -> None:
        assert str(Share(5, 10)) == "50.0 % (23.7–76.3)"
        assert str(Share(0, 0)) == "–"


WORLD = world(
    customer("ana", texts=["Hello."]),
    customer("ben"),
    customer("hugo", "malicious", family="evolution", texts=["Rewrite it harder."]),
    customer("ivan", "malicious", family="evolution"),
    customer("jana", "malicious", family="slow_and_low"),
)


class TestTheMeasuresOfAWorld:
    def test_take_who_is_missing_for_nothing(self) -> None:
        assert measure_world(WORLD, {"ivan": 40.0, "jana": 50.0}).recall_strict == Share(2, 3)

    def test_rank_those_without_text_by_themselves(self) -> None:
        scores = {"ana": 60.0, "ben": 20.0, "hugo": 30.0, "ivan": 40.0, "jana": 10.0}

        assert measure_world(WORLD, scores).recall_strict == Share(0, 3)
        assert measure_world(WORLD, scores, metadata_only=True).recall_strict == Share(1, 2)

    def test_say_of_each_family_how_many_are_found(self) -> None:
        scores = {"ana": 50.0, "hugo": 30.0, "ivan": 40.0}

        assert flagged_by_family(WORLD, scores, above=30) == {"evolution": Share(1, 2), "slow_and_low": Share(0, 1)}
