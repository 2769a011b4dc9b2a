from typing import Any

import pytest

from governance.detection.calibration import CAPS, Calibration
from governance.detection.detectors import all_detectors
from governance.detection.detectors.against.named_by_partner import detect
from governance.detection.finding import UNMEASURED, Family
from governance.detection.indicator_kinds import IndicatorKind
from governance.detection.scoring import REVIEW_LINE, assess
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import facts, marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of


def named(*by: tuple[str, str]) -> dict[str, Any]:
    return {"facts": facts(named_by=by)}


class TestNamedByPartner:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param(named(), None, id="by nobody"),
            pytest.param(named(("North Lab", "network")), 0.25, id="its network"),
            pytest.param(named(("North Lab", "address")), 0.5, id="an address"),
            pytest.param(named(("North Lab", "domain")), 0.5, id="its domain"),
            pytest.param(named(("North Lab", "card")), 0.8, id="its card"),
            pytest.param(named(("North Lab", "wrapper")), 0.8, id="a wording"),
            pytest.param(named(("North Lab", "card"), ("South Lab", "card")), 0.8, id="the same by two"),
            pytest.param(named(("North Lab", "address"), ("South Lab", "domain")), 0.75, id="two kinds"),
            pytest.param(named(*(("North Lab", kind.value) for kind in IndicatorKind)), 0.9925, id="all kinds"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [pytest.param(samira_the_support_desk(**named(("North Lab", "network"))), 0.25, id="behind a shared network")],
    )
    def test_strength_for_look_alikes(self, account: AccountUsage, strength: float | None) -> None:
        assert strength_of(detect(account)) == pytest.approx(strength)

    def test_no_finding_without_usage(self) -> None:
        assert detect(nadia_the_newcomer()) is None

    def test_sentence(self) -> None:
        by = named(("North Lab", "address"), ("North Lab", "card"), ("North Lab", "network"), ("South Lab", "card"))
        finding = detect(marcus_the_harvester(**by))

        assert finding is not None
        assert finding.sentence == (
            "North Lab names an address it uses, its payment card and the network it signed up from. "
            "South Lab names its payment card."
        )


class TestTheWordOfPartners:
    """However many name an account, and by whatever."""

    everything = tuple((f"Lab {number}", kind.value) for number in range(40) for kind in IndicatorKind)

    def test_never_brings_an_account_before_a_reviewer_alone(self) -> None:
        usage = AccountUsage(facts=facts(named_by=self.everything))
        score = assess(usage, all_detectors(), Calibration(version="heavy", weights={"named_by_partner": 8.0}))

        assert score.points == 8
        assert [one.finding.detector for one in score.findings] == ["named_by_partner"]
        assert CAPS[Family.PARTNERS] < REVIEW_LINE / 6

    def test_is_no_kind_of_evidence_for_automatic_restrictions(self) -> None:
        score = assess(AccountUsage(facts=facts(named_by=self.everything)), all_detectors(), Calibration(version="1"))

        assert Family.PARTNERS in UNMEASURED
        assert score.families == frozenset()
