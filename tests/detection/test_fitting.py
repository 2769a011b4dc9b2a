import numpy as np
import pytest

from governance.detection.detectors import Detector
from governance.detection.finding import Family
from governance.detection.fitting import (
    LabelledAccounts,
    fit_probability,
    fit_weights,
    leave_one_family_out,
    predict_points,
)
from governance.detection.probability import probability
from governance.detection.scoring import REVIEW_LINE


def detector(name: str, family: Family, weight: float) -> Detector:
    return Detector(
        name=name, title=name, description="", family=family, version=1, weight=weight, harmless="",
        detect=lambda _: None,
    )  # fmt: skip


# One that harvests show, one that everybody shows, one that only others show, one that nobody shows.
TELLS = detector("tells", Family.CONTENT, 20)
COMMON = detector("common", Family.SHAPE, 20)
EXCUSES = detector("excuses", Family.HARMLESS, -10)
UNSEEN = detector("unseen", Family.RHYTHM, 12)
DETECTORS = [TELLS, COMMON, EXCUSES, UNSEEN]


@pytest.fixture
def world() -> LabelledAccounts:
    """Forty harvests of four families and two hundred others of four."""
    dice = np.random.default_rng(3)
    harvests = np.arange(240) < 40
    strengths = np.column_stack(
        [
            np.where(harvests, dice.uniform(0.7, 1, 240), dice.uniform(0, 0.2, 240)),
            dice.uniform(0.4, 1, 240),
            np.where(harvests, 0.0, dice.uniform(0.5, 1, 240)),
            np.zeros(240),
        ]
    )
    families = [f"{'harvest' if bad else 'other'} {number % 4}" for number, bad in enumerate(harvests)]
    return LabelledAccounts([f"acct_{number}" for number in range(240)], strengths, harvests, families)


class TestFitting:
    def test_gives_weight_to_what_tells_and_takes_it_from_what_everybody_shows(self, world: LabelledAccounts) -> None:
        weights = fit_weights(world, DETECTORS, prior_strength=0.5)

        assert weights["tells"] > TELLS.weight
        assert weights["common"] < weights["tells"]

    def test_leaves_to_the_expert_what_it_has_not_seen(self, world: LabelledAccounts) -> None:
        assert fit_weights(world, DETECTORS, prior_strength=0.5)["unseen"] == UNSEEN.weight

    def test_gives_no_weight_to_what_is_no_evidence(self, world: LabelledAccounts) -> None:
        tells_people = detector("tells_people", Family.CONTENT, 0)

        weights = fit_weights(world, [tells_people, COMMON, EXCUSES, UNSEEN], prior_strength=0.5)

        assert weights["tells_people"] == 0
        assert np.isfinite([*weights.values()]).all()

    def test_never_turns_a_detectors_sign(self, world: LabelledAccounts) -> None:
        turned = LabelledAccounts(world.accounts, world.strengths, ~world.harvests, world.families)

        weights = fit_weights(turned, DETECTORS, prior_strength=0.01)

        assert weights["tells"] >= 0
        assert weights["excuses"] <= 0

    def test_stays_near_the_expert_the_more_faith_there_is(self, world: LabelledAccounts) -> None:
        little, much = (
            fit_weights(world, DETECTORS, prior_strength=prior_strength)["tells"] for prior_strength in (0.1, 1_000)
        )

        assert abs(much - TELLS.weight) < 1 < abs(little - TELLS.weight)

    def test_weighs_families_and_not_accounts(self, world: LabelledAccounts) -> None:
        many = [place for place, family in enumerate(world.families) if family == "other 1"]
        doubled = np.concatenate([np.arange(240), *[many] * 5])
        crowded = LabelledAccounts(
            [world.accounts[place] for place in doubled],
            world.strengths[doubled],
            world.harvests[doubled],
            [world.families[place] for place in doubled],
        )

        assert fit_weights(crowded, DETECTORS)["tells"] == pytest.approx(
            fit_weights(world, DETECTORS)["tells"], abs=0.2
        )


class TestScores:
    def test_are_what_scoring_adds_up(self) -> None:
        seen = np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0]])
        labelled = LabelledAccounts(["text", "none"], seen, np.array([True, False]), ["set", "chat"], [20, 0])

        points = predict_points(labelled, {"tells": 95, "common": 20, "excuses": -10, "unseen": 12}, DETECTORS)

        assert points.tolist() == [80 + 4, 80 + 20 - 10]


class TestAProbability:
    def test_says_what_share_of_accounts_with_a_score_were_harvests(self) -> None:
        dice = np.random.default_rng(5)
        points = dice.uniform(0, 100, 20_000)
        harvests = dice.uniform(size=20_000) < 1 / (1 + np.exp(-(np.maximum(points, 25) - 60) / 8))

        curve = fit_probability(points, harvests)

        prior = harvests.mean()
        for score in (30, 50, 60, 70, 90):
            near = abs(points - score) < 2
            estimate = probability(curve.log_odds(score), curve.error(score, texts=50), base_rate=prior)
            assert estimate.value == pytest.approx(harvests[near].mean(), abs=0.05)
            assert estimate.low < estimate.value < estimate.high

    def test_never_falls_as_the_score_rises(self) -> None:
        curve = fit_probability(np.array([10.0, 90.0, 40.0, 70.0]), np.array([True, False, True, False]))

        assert curve.log_odds(90) >= curve.log_odds(10)

    def test_is_less_sure_where_few_prompts_were_read(self) -> None:
        curve = fit_probability(np.array([10.0, 30.0, 50.0, 70.0]), np.array([False, False, True, True]))

        assert curve.error(50, texts=2) > curve.error(50, texts=10) == curve.error(50, texts=900)


class TestLeavingFamiliesOut:
    def test_judges_each_family_by_weights_that_have_not_seen_it(self, world: LabelledAccounts) -> None:
        strengths = world.strengths.copy()
        odd = np.array([family == "harvest 0" for family in world.families])
        strengths[odd] = [0, 1, 0, 0]  # a family that shows only what everybody shows
        changed = LabelledAccounts(world.accounts, strengths, world.harvests, world.families)

        points = leave_one_family_out(changed, DETECTORS, prior_strength=0.5)

        assert (points[odd] < REVIEW_LINE).all()
