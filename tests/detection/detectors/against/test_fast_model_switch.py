from typing import Any

import pytest

from governance.detection.detectors.against.fast_model_switch import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"pivot_share": 0.55, "pivot_events": 40}


class TestFastModelSwitch:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"pivot_events": 14}, None, id="too few requests"),
            pytest.param({"pivot_events": 15}, 0.4, id="few requests"),
            pytest.param({"pivot_events": 25}, 0.64, id="some requests"),
            pytest.param({"pivot_events": 40}, 1.0, id="many requests"),
            pytest.param({"pivot_share": 0.25}, None, id="slow"),
            pytest.param({"pivot_share": 0.253}, 0.01, id="just above"),
            pytest.param({"pivot_share": 0.4}, 0.5, id="half"),
            pytest.param({"pivot_share": 0.55}, 1.0, id="fast"),
            pytest.param({"end_user_share": 0.8}, 0.0, id="mostly end users"),
            pytest.param({"end_user_share": 0.5}, 0.5, id="half end users"),
            pytest.param({"end_user_share": 0.2}, 1.0, id="few end users"),
            pytest.param({"cold_share": 1.0}, 0.6, id="cold"),
            pytest.param({"seeded_share": 0.5}, 0.8, id="half seeded"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(
                samira_the_support_desk(pivot_share=0.08, pivot_events=120),
                None,
                id="a product that tries the new model out",
            ),
            pytest.param(
                samira_the_support_desk(pivot_share=0.6, pivot_events=120), 0.0, id="an enthusiast with end users"
            ),
        ],
    )
    def test_strength_for_look_alikes(self, account: AccountUsage, strength: float | None) -> None:
        assert strength_of(detect(account)) == pytest.approx(strength)

    def test_no_finding_without_usage(self) -> None:
        assert detect(nadia_the_newcomer()) is None

    @pytest.mark.parametrize(
        ("account", "text"),
        [
            (
                marcus_the_harvester(pivot_share=0.6, pivot_events=1_200),
                "Since its first request to another model 60 % of its 1,200 requests use it.",
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
