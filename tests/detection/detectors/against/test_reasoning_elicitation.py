from typing import Any

import pytest

from governance.detection.detectors.against.reasoning_elicitation import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import (
    ellen_the_evaluator,
    marcus_the_harvester,
    nadia_the_newcomer,
    samira_the_support_desk,
    strength_of,
)

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"markers": {"reasoning": 0.6}}


class TestReasoningElicitation:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"texts": 19}, None, id="too few prompts"),
            pytest.param({"texts": 20}, 1.0, id="just enough prompts"),
            pytest.param({"markers": {"reasoning": 0.1}}, None, id="as ordinary customers do"),
            pytest.param({"markers": {"reasoning": 0.105}}, 0.01, id="just above"),
            pytest.param({"markers": {"reasoning": 0.35}}, 0.5, id="half"),
            pytest.param({"markers": {"reasoning": 0.6}}, 1.0, id="full"),
            pytest.param({"standalone_share": 0.4}, 0.0, id="not alone"),
            pytest.param({"standalone_share": 0.675}, 0.5, id="half alone"),
            pytest.param({"standalone_share": 0.95}, 1.0, id="alone"),
            pytest.param({"cold_share": 0.5}, 0.75, id="half cold"),
            pytest.param({"seeded_share": 1.0}, 0.5, id="seeded"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(ellen_the_evaluator(), 0.5, id="an evaluation at repeatable settings is halved"),
            pytest.param(samira_the_support_desk(markers={"reasoning": 0.5}), 0.0, id="a tutor in conversations"),
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
                marcus_the_harvester(markers={"reasoning": 0.97}),
                (
                    "97 % of 300 prompts ask for written-out reasoning; 100 % of 300 requests stand alone, without "
                    "conversation or end user."
                ),
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
