"""What the curves of a detector of content give."""

import pytest

from governance.detection.calibration import POINTS_PER_NAT
from governance.detection.curves import ContentModel, Curve, content_model, full_points, measure, weight_of_text_count
from tests.detection.usages import usage

RISING = Curve(knots=(0.0, 1.0, 3.0), nats=(0.5, 1.0))
MODEL = ContentModel(
    base=-1.0,
    fitted_on="nobody",
    curves={
        "tells": {"share": RISING, "number": Curve(knots=(0.0, 10.0), nats=(0.5,))},
        "flat": {"share": Curve((), ())},
    },
)


class TestACurve:
    @pytest.mark.parametrize(
        ("value", "nats"),
        [(None, 0.0), (-1.0, 0.0), (0.0, 0.0), (0.5, 0.25), (1.0, 0.5), (2.0, 1.0), (3.0, 1.5), (9.0, 1.5)],
    )
    def test_rises_between_its_knots(self, value: float | None, nats: float) -> None:
        assert RISING.at(value) == pytest.approx(nats)

    def test_gives_at_most_the_sum_of_its_steps(self) -> None:
        assert RISING.full == 1.5


class TestTheStrengthOfADetector:
    @pytest.mark.parametrize(
        ("values", "strength"),
        [
            pytest.param({"share": 3.0, "number": 10.0}, 1.0, id="every figure at its end"),
            pytest.param({"share": 1.0, "number": 5.0}, 0.375, id="part of what they can give"),
            pytest.param({"share": 3.0, "number": None}, 0.75, id="a figure that was not measured"),
            pytest.param({}, 0.0, id="nothing measured"),
            pytest.param({"another": 5.0}, 0.0, id="a figure without a curve"),
        ],
    )
    def test_is_the_share_of_what_its_curves_can_give(self, values: dict[str, float | None], strength: float) -> None:
        assert MODEL.strength("tells", values) == pytest.approx(strength)

    @pytest.mark.parametrize("detector", ["flat", "without_curves"])
    def test_is_nought_where_they_can_give_nothing(self, detector: str) -> None:
        assert MODEL.full(detector) == 0.0
        assert MODEL.strength(detector, {"share": 3.0}) == 0.0


@pytest.mark.parametrize("detector", content_model().curves)
def test_full_points_are_what_all_curves_give_to_a_tenth(detector: str) -> None:
    nats = sum(curve.full for curve in content_model().curves[detector].values())

    assert full_points(detector) == round(nats * POINTS_PER_NAT, 1)


def test_figures_are_measured_by_name() -> None:
    assert measure({"texts": lambda one: one.texts, "unknown": lambda _: None}, usage(texts=7)) == {
        "texts": 7,
        "unknown": None,
    }


@pytest.mark.parametrize(("texts", "weight"), [(3, 0.6), (5, 0.6), (15, 0.76), (30, 1.0), (300, 1.0)])
def test_few_prompts_weigh_less(texts: int, weight: float) -> None:
    assert weight_of_text_count(texts) == pytest.approx(weight)
