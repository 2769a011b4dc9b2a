from typing import Any

import pytest

from governance.detection.detectors.against.token_probabilities import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, strength_of, tomas_the_translator

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"logprobs_share": 0.5, "top_logprobs": 5, "median_output": 60}


class TestTokenProbabilities:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"events": 19}, None, id="too few requests"),
            pytest.param({"events": 20}, 1.0, id="just enough requests"),
            pytest.param({"logprobs_share": 0.05}, None, id="seldom"),
            pytest.param({"logprobs_share": 0.0509}, 0.002, id="just above"),
            pytest.param({"logprobs_share": 0.275}, 0.5, id="half"),
            pytest.param({"logprobs_share": 0.5}, 1.0, id="full"),
            pytest.param({"logprobs_share": 1.0}, 1.0, id="beyond"),
            pytest.param({"median_output": 12}, 0.0, id="labels"),
            pytest.param({"median_output": 36}, 0.5, id="short answers"),
            pytest.param({"top_logprobs": 0}, 0.4, id="no alternatives"),
            pytest.param({"top_logprobs": 1}, 0.52, id="one alternative"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(
                tomas_the_translator(logprobs_share=1.0, top_logprobs=5, median_output=2),
                0.0,
                id="a classifier that reads its confidence",
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
                marcus_the_harvester(logprobs_share=0.6, top_logprobs=20, median_output=90),
                (
                    "60 % of 300 requests ask for token probabilities, up to 20 alternatives per token; median "
                    "answer 90 tokens."
                ),
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
