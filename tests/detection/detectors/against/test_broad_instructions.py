from typing import Any

import pytest

from governance.detection.detectors.against.broad_instructions import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import (
    ellen_the_evaluator,
    marcus_the_harvester,
    nadia_the_newcomer,
    samira_the_support_desk,
    strength_of,
    tomas_the_translator,
)


class TestBroadInstructions:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"texts": 24}, None, id="too few prompts"),
            pytest.param({"breadth": None}, None, id="no breadth measured"),
            pytest.param({"texts": 25}, 0.4, id="few prompts"),
            pytest.param({"texts": 82}, 0.76, id="some prompts"),
            pytest.param({"texts": 120}, 1.0, id="many prompts"),
            pytest.param({"breadth": 0.45}, 0.0, id="narrow"),
            pytest.param({"breadth": 0.625}, 0.5, id="half as broad"),
            pytest.param({"breadth": 0.8}, 1.0, id="broad"),
            pytest.param({"bare_share": 0.5}, 0.0, id="half in a product"),
            pytest.param({"bare_share": 0.725}, 0.5, id="fewer in a product"),
            pytest.param({"bare_share": 0.95}, 1.0, id="bare"),
            pytest.param({"repeat_share": 0.6}, 0.0, id="repeated"),
            pytest.param({"repeat_share": 0.35}, 0.5, id="half repeated"),
            pytest.param({"repeat_share": 0.1}, 1.0, id="new"),
            pytest.param({"work_share": 0.3}, 1.0, id="some work"),
            pytest.param({"work_share": 0.55}, 0.5, id="more work"),
            pytest.param({"work_share": 0.8}, 0.0, id="mostly work"),
            pytest.param({"markers": {"benchmark": 0.55}}, 0.5, id="examination questions"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(ellen_the_evaluator(), 0.0, id="a public examination"),
            pytest.param(tomas_the_translator(), 0.0, id="a night of translation"),
            pytest.param(samira_the_support_desk(), 0.0, id="a chat with people"),
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
                marcus_the_harvester(sample=(1, 2, 3)),
                (
                    "About 298 of 300 prompts differ from each other and 100 % stand alone; the 3 sampled prompts "
                    "are on average 90 % as varied as unrelated texts (built-in reference)."
                ),
            ),
            (
                marcus_the_harvester(breadth=1.2),
                (
                    "About 298 of 300 prompts differ from each other and 100 % stand "
                    "alone; the prompts are on average 100 % as varied as unrelated "
                    "texts (built-in reference)."
                ),
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
