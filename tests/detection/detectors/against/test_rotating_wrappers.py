from typing import Any

import pytest

from governance.detection.detectors.against.rotating_wrappers import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import ellen_the_evaluator, marcus_the_harvester, nadia_the_newcomer, strength_of

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"steady_templates": 4, "steady_share": 0.5, "top_template_share": 0.3}


class TestRotatingWrappers:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"texts": 29}, None, id="too few prompts"),
            pytest.param({"texts": 30}, 1.0, id="just enough prompts"),
            pytest.param({"breadth": None}, None, id="no breadth measured"),
            pytest.param({"steady_templates": 1}, None, id="one wrapping"),
            pytest.param({"steady_templates": 2}, 1.0, id="two wrappings"),
            pytest.param({"steady_templates": 40}, 1.0, id="forty wrappings"),
            pytest.param({"steady_templates": 41}, None, id="more than forty"),
            pytest.param({"steady_share": 0.1, "top_template_share": 0.05}, 0.0, id="hardly wrapped"),
            pytest.param({"steady_share": 0.3, "top_template_share": 0.1}, 0.5, id="half as much wrapped"),
            pytest.param({"top_template_share": 0.475}, 0.0, id="one leads"),
            pytest.param({"top_template_share": 0.3875}, 0.5, id="one leads somewhat"),
            pytest.param({"top_template_share": 0.3}, 1.0, id="none leads"),
            pytest.param({"bare_share": 0.5}, 0.0, id="half in a product"),
            pytest.param({"bare_share": 0.725}, 0.5, id="fewer in a product"),
            pytest.param({"bare_share": 0.95}, 1.0, id="bare"),
            pytest.param({"breadth": 0.4}, 0.0, id="narrow"),
            pytest.param({"breadth": 0.475}, 0.5, id="half as broad"),
            pytest.param({"breadth": 0.55}, 1.0, id="broad"),
            pytest.param({"repeat_share": 0.6}, 0.0, id="repeated"),
            pytest.param({"repeat_share": 0.4}, 0.5, id="half repeated"),
            pytest.param({"repeat_share": 0.2}, 1.0, id="new"),
            pytest.param({"work_share": 0.3}, 1.0, id="some work"),
            pytest.param({"work_share": 0.55}, 0.5, id="more work"),
            pytest.param({"work_share": 0.8}, 0.0, id="mostly work"),
            pytest.param({"markers": {"benchmark": 0.55}}, 0.5, id="examination questions"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(ellen_the_evaluator(), None, id="a single wrapping"),
            pytest.param(
                marcus_the_harvester(steady_templates=4, steady_share=0.95, top_template_share=0.27, bare_share=0.0),
                0.0,
                id="an application with four functions of its own",
            ),
            pytest.param(
                marcus_the_harvester(steady_templates=4, steady_share=0.95, top_template_share=0.27, breadth=0.35),
                0.0,
                id="payloads of one subject",
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
                marcus_the_harvester(steady_templates=4, steady_share=0.95, top_template_share=0.27, repeat_share=0.25),
                (
                    "4 templates cover 95 % of 300 prompts, the most common one 27 %; about 75 % of all prompts "
                    "differ from each other."
                ),
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
