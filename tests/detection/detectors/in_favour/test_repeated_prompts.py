from typing import Any

import pytest

from governance.detection.detectors.in_favour.repeated_prompts import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"repeat_share": 0.7}


class TestRepeatedPrompts:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"repeat_share": 0.15}, None, id="few repeats"),
            pytest.param({"repeat_share": 0.1555}, 0.01, id="just above"),
            pytest.param({"repeat_share": 0.425}, 0.5, id="half"),
            pytest.param({"repeat_share": 0.7}, 1.0, id="full"),
            pytest.param({"texts": 19}, None, id="repeats in too few prompts"),
            pytest.param({"texts": 20}, 1.0, id="repeats in just enough prompts"),
            pytest.param({"texts": 0, "repeat_share": 0.0, "cached_share": 0.425}, 0.5, id="cached input without text"),
            pytest.param({"making_share": 0.2}, 1.0, id="some tasks made"),
            pytest.param({"making_share": 0.201}, None, id="too many tasks made"),
            pytest.param({"mean_n": 1.5}, 1.0, id="one and a half answers"),
            pytest.param({"mean_n": 1.51}, None, id="more answers"),
            pytest.param({"hot_share": 0.3}, 1.0, id="cool enough"),
            pytest.param({"hot_share": 0.6}, 0.5, id="warm"),
            pytest.param({"hot_share": 0.9}, 0.0, id="hot"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(samira_the_support_desk(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(marcus_the_harvester(repeat_share=0.6), 0.0, id="a question repeated for varied answers"),
            pytest.param(marcus_the_harvester(), None, id="a harvest"),
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
                samira_the_support_desk(repeat_share=0.6, cached_share=0.25, input_tokens=9_000),
                "About 60 % of 300 prompts were sent before, and 25 % of 9,000 input tokens were cached.",
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
