from typing import Any

import pytest

from governance.detection.detectors.in_favour.public_prompts import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import ellen_the_evaluator, facts, marcus_the_harvester, nadia_the_newcomer, strength_of

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"facts": facts(public_share=0.9)}


class TestPublicPrompts:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"texts": 9}, None, id="too few prompts"),
            pytest.param({"texts": 10}, 1.0, id="just enough prompts"),
            pytest.param({"facts": facts(public_share=0.5)}, None, id="half of them public"),
            pytest.param({"facts": facts(public_share=0.504)}, 0.01, id="just above"),
            pytest.param({"facts": facts(public_share=0.7)}, 0.5, id="half"),
            pytest.param({"facts": facts(public_share=0.9)}, 1.0, id="full"),
            pytest.param({"making_share": 0.2}, 1.0, id="some tasks made"),
            pytest.param({"making_share": 0.201}, None, id="too many tasks made"),
            pytest.param({"mean_n": 1.5}, 1.0, id="one and a half answers"),
            pytest.param({"mean_n": 2.75}, 0.5, id="more answers"),
            pytest.param({"mean_n": 4.0}, 0.0, id="four answers"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(ellen_the_evaluator(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(
                marcus_the_harvester(making_share=0.8, facts=facts(public_share=0.97)),
                None,
                id="public prompts made into new tasks",
            ),
            pytest.param(marcus_the_harvester(facts=facts(public_share=0.1)), None, id="prompts of its own"),
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
                ellen_the_evaluator(facts=facts(public_share=0.97, public_prompts=90)),
                (
                    "97 % of the 90 sampled prompts were sent by at least four other accounts too, in the same or "
                    "almost the same words."
                ),
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
