from collections.abc import Sequence

import pytest

from governance.detection.calibration import CAPS, POINTS_PER_NAT, Calibration
from governance.detection.curves import content_model
from governance.detection.detectors import Detector, all_detectors
from governance.detection.finding import Family, Finding
from governance.detection.probability import ProbabilityCurve
from governance.detection.scoring import (
    AUTOMATIC_LINE,
    FAMILIES_FOR_AUTOMATIC,
    REVIEW_LINE,
    Band,
    Score,
    band_of,
    iter_findings,
)
from governance.detection.scoring import assess as assess_by
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import (
    ellen_the_evaluator,
    facts,
    marcus_the_harvester,
    nadia_the_newcomer,
    samira_the_support_desk,
    tomas_the_translator,
    usage,
)

EXPERTS = Calibration(version="experts")


def assess(account: AccountUsage, detectors: Sequence[Detector], *, shared: Sequence[Finding] = ()) -> Score:
    return assess_by(account, detectors, EXPERTS, shared=shared)


def detector(name: str, family: Family, weight: float, strength: float = 1.0) -> Detector:
    return Detector(
        name=name,
        title=name,
        description="",
        family=family,
        version=1,
        weight=weight,
        harmless="",
        detect=lambda usage: Finding(strength=strength, sentence=f"Saw {name} in {usage.events} requests."),
    )


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_finding_cannot_forge_points_by_its_strength(strength: float) -> None:
    with pytest.raises(ValueError, match="is not between 0 and 1"):
        Finding(strength=strength, sentence="Stronger than anything.")


class TestAssess:
    def test_gives_weight_times_strength_for_a_finding(self) -> None:
        score = assess(usage(), [detector("bursts", Family.RHYTHM, 20, strength=0.5)])

        assert score.points == 10
        assert [(one.finding.detector, one.points) for one in score.findings] == [("bursts", 10)]

    def test_shows_a_finding_that_only_tells_people_something(self) -> None:
        score = assess(usage(), [detector("licence", Family.IDENTITY, 0)])

        assert score.points == 0
        assert [(one.finding.detector, one.points) for one in score.findings] == [("licence", 0)]

    def test_caps_a_family_and_takes_from_its_findings_in_proportion(self) -> None:
        score = assess(usage(), [detector("a", Family.RHYTHM, 60), detector("b", Family.RHYTHM, 20)])

        cap = CAPS[Family.RHYTHM]
        assert score.points == cap
        assert [one.points for one in score.findings] == pytest.approx([0.75 * cap, 0.25 * cap])

    @pytest.mark.parametrize("family", [Family.SHAPE, Family.RHYTHM, Family.IDENTITY])
    def test_keeps_what_tools_leave_out_below_the_review_line(self, family: Family) -> None:
        score = assess(usage(), [detector(name, family, 100) for name in "abc"])

        assert score.points < REVIEW_LINE

    @pytest.mark.parametrize("family", [Family.CONTENT, Family.TOGETHER])
    def test_lets_content_and_a_campaign_reach_a_reviewer_but_no_further(self, family: Family) -> None:
        score = assess(usage(), [detector(name, family, 100) for name in "abc"])

        assert REVIEW_LINE <= score.points < AUTOMATIC_LINE

    def test_limits_what_tools_leave_out_to_a_nat_and_a_half_where_text_was_read(self) -> None:
        careless = [detector(family, family, 100) for family in (Family.SHAPE, Family.RHYTHM, Family.IDENTITY)]

        assert assess(usage(texts=1), careless).points <= 1.6 * POINTS_PER_NAT
        assert assess(usage(texts=0), careless).points == 38 + 30 + 24

    def test_lets_two_families_reach_the_review_line(self) -> None:
        score = assess(usage(), [detector("a", Family.CONTENT, 100), detector("b", Family.SHAPE, 100)])

        assert score.points >= REVIEW_LINE
        assert score.families == {Family.CONTENT, Family.SHAPE}

    def test_takes_off_what_speaks_for_the_account(self) -> None:
        score = assess(usage(), [detector("a", Family.CONTENT, 30), detector("users", Family.HARMLESS, -20)])

        assert score.points == 10
        assert [one.points for one in score.findings] == [30, -20]

    def test_takes_off_no_more_than_there_is(self) -> None:
        score = assess(usage(), [detector("a", Family.CONTENT, 5), detector("users", Family.HARMLESS, -20)])

        assert score.points == 0
        assert [one.points for one in score.findings] == [5, -5]

    def test_takes_off_no_more_than_there_is_where_that_is_less_than_a_point(self) -> None:
        score = assess(usage(), [detector("a", Family.CONTENT, 0.4), detector("users", Family.HARMLESS, -0.6)])

        assert score.points == 0
        assert sorted(one.points for one in score.findings) == pytest.approx([-0.4, 0.4])

    def test_caps_what_speaks_for_the_account(self) -> None:
        against = [detector("a", Family.CONTENT, 40), detector("b", Family.SHAPE, 30)]

        score = assess(usage(), [*against, detector("users", Family.HARMLESS, -500)])

        assert score.points == 70 - CAPS[Family.HARMLESS]

    def test_ends_at_100_with_every_point_in_a_finding(self) -> None:
        score = assess(usage(), [detector(family, family, 100) for family in Family if family is not Family.HARMLESS])

        assert score.points == 100
        assert sum(one.points for one in score.findings) == pytest.approx(100)

    @pytest.mark.parametrize(
        "account",
        [
            marcus_the_harvester(),
            ellen_the_evaluator(),
            samira_the_support_desk(),
            tomas_the_translator(),
            marcus_the_harvester(pivot_share=0.7, pivot_events=90, facts=facts(card_accounts=9, template_accounts=40)),
        ],
    )
    def test_adds_up(self, account: AccountUsage) -> None:
        score = assess(account, all_detectors())

        assert score.points == round(sum(one.points for one in score.findings))
        assert 0 <= score.points <= 100

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        score = assess(nadia_the_newcomer(), all_detectors())

        assert (score.points, score.band, score.findings) == (0, Band.LOW, ())


class TestWhatItSaysOfContent:
    def test_is_nothing_where_no_text_was_read(self) -> None:
        assert assess(usage(texts=0), [detector("a", Family.CONTENT, 30)]).content_log_odds is None

    def test_counts_content_and_what_speaks_for_the_account_alone(self) -> None:
        found = [
            detector("a", Family.CONTENT, 3 * POINTS_PER_NAT),
            detector("b", Family.SHAPE, 30),
            detector("c", Family.TOGETHER, 60),
            detector("d", Family.HARMLESS, -POINTS_PER_NAT),
        ]

        odds = assess(usage(texts=40), found).content_log_odds

        assert odds == pytest.approx(content_model().base + 2)

    def test_leaves_out_what_its_campaign_shows(self) -> None:
        shared = Finding(strength=0.9, sentence="All of them do.", detector="a", family=Family.CONTENT)

        odds = assess(usage(texts=40), [detector("a", Family.CONTENT, 30, strength=0)], shared=[shared])

        assert odds.content_log_odds == pytest.approx(content_model().base)


class TestACalibration:
    def test_says_what_a_finding_is_worth(self) -> None:
        lighter = Calibration(version="2", weights={"bursts": 5.0})

        score = assess_by(usage(), [detector("bursts", Family.RHYTHM, 20)], lighter)

        assert (score.points, score.model_version) == (5, "2")

    def test_says_what_the_score_means(self) -> None:
        curve = ProbabilityCurve(intercept=-2.0, slope=0.1, variance=(0.25, 0.0, 0.0))
        found = [detector("a", Family.CONTENT, 40)]

        score = assess_by(usage(texts=5), found, Calibration(version="3", probability=curve))

        assert score.log_odds == pytest.approx(-2.0 + 0.1 * 15)
        assert score.log_odds_error == pytest.approx(curve.error(40, texts=5))


class TestACampaignsEvidence:
    def test_counts_where_it_is_more_than_the_accounts_own(self) -> None:
        shared = Finding(strength=0.9, sentence="All of them do.", detector="bursts", family=Family.RHYTHM)

        score = assess(usage(), [detector("bursts", Family.RHYTHM, 20, strength=0.5)], shared=[shared])

        assert score.points == 18
        assert score.findings[0].finding.sentence == "All of them do."

    def test_counts_where_the_account_shows_nothing_yet(self) -> None:
        shared = Finding(strength=0.5, sentence="All of them do.", detector="bursts", family=Family.RHYTHM)

        score = assess(usage(), [detector("bursts", Family.RHYTHM, 20, strength=0)], shared=[shared])

        assert score.points == 10

    def test_does_not_hide_what_the_account_shows_by_itself(self) -> None:
        shared = Finding(strength=0.2, sentence="All of them do.", detector="bursts", family=Family.RHYTHM)

        score = assess(usage(), [detector("bursts", Family.RHYTHM, 20, strength=0.5)], shared=[shared])

        assert score.points == 10

    def test_does_not_hide_what_the_account_shows_as_strongly(self) -> None:
        shared = Finding(strength=0.5, sentence="All of them do.", detector="bursts", family=Family.RHYTHM)

        score = assess(usage(), [detector("bursts", Family.RHYTHM, 20, strength=0.5)], shared=[shared])

        assert score.findings[0].finding.sentence == "Saw bursts in 300 requests."


class TestTheFindingsOfAMember:
    def test_are_its_own_or_its_campaigns_by_which_is_stronger(self) -> None:
        detectors = [
            detector("both", Family.RHYTHM, 20, strength=0.5),
            detector("its_own", Family.SHAPE, 20, strength=0.7),
            detector("neither", Family.CONTENT, 20, strength=0),
            detector("of_all", Family.TOGETHER, 20, strength=0),
        ]
        shared = [Finding(strength=0.8, sentence="All do.", detector=name) for name in ("of_all", "both")]

        found = [
            (one.name, finding.strength) for one, finding in iter_findings(usage(), iter(detectors), shared=shared)
        ]

        assert found == [("both", 0.8), ("its_own", 0.7), ("of_all", 0.8)]


def test_lines_are_those_of_the_documentation() -> None:
    assert (REVIEW_LINE, AUTOMATIC_LINE, FAMILIES_FOR_AUTOMATIC) == (50, 85, 3)


class TestTheScoresOf:
    def test_a_harvester_reach_a_reviewer(self) -> None:
        assert assess(marcus_the_harvester(), all_detectors()).points >= REVIEW_LINE

    @pytest.mark.parametrize("account", [ellen_the_evaluator(), samira_the_support_desk(), tomas_the_translator()])
    def test_ordinary_customers_do_not(self, account: AccountUsage) -> None:
        assert assess(account, all_detectors()).points < REVIEW_LINE


class TestBandOf:
    @pytest.mark.parametrize(
        ("points", "band"),
        [
            (0, Band.LOW),
            (REVIEW_LINE - 1, Band.LOW),
            (REVIEW_LINE, Band.ELEVATED),
            (67, Band.ELEVATED),
            (68, Band.HIGH),
            (84, Band.HIGH),
            (AUTOMATIC_LINE, Band.CRITICAL),
            (100, Band.CRITICAL),
        ],
    )
    def test_is_half_open(self, points: int, band: Band) -> None:
        assert band_of(points) is band
