from typing import Any

import pytest

from governance.detection.detectors.against.varied_answers import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, strength_of, tomas_the_translator

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"mean_n": 4.0}


class TestVariedAnswers:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"events": 24}, None, id="too few requests"),
            pytest.param({"events": 25}, 0.4, id="few requests"),
            pytest.param({"events": 63}, 0.64, id="some requests"),
            pytest.param({"events": 120}, 1.0, id="many requests"),
            pytest.param({"varied_share": 0.1}, None, id="seldom"),
            pytest.param({"varied_share": 0.105}, 0.01, id="just above"),
            pytest.param({"varied_share": 0.35}, 0.5, id="half"),
            pytest.param({"varied_share": 0.6}, 1.0, id="full"),
            pytest.param({"mean_n": 1.0}, 0.65, id="one answer a question"),
            pytest.param({"mean_n": 2.5}, 0.825, id="two and a half answers"),
            pytest.param({"system_share": 1.0}, 0.5, id="a system prompt"),
            pytest.param({"system_share": 0.5}, 0.75, id="some system prompts"),
            pytest.param({"parameter_sets": 8}, 1.0, id="eight sets of settings"),
            pytest.param({"parameter_sets": 16}, 0.5, id="sixteen sets"),
            pytest.param({"parameter_sets": 24}, 0.0, id="twenty-four sets"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(
                marcus_the_harvester(system_share=1.0), 0.65 * 0.5, id="a copywriter with one system prompt is halved"
            ),
            pytest.param(tomas_the_translator(), None, id="translation at low temperature"),
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
                marcus_the_harvester(mean_n=4.0),
                (
                    "100 % of 300 requests stand alone and sample with randomness, 4.0 answers per request on "
                    "average, with the same settings throughout."
                ),
            ),
            (
                marcus_the_harvester(mean_n=1.5),
                (
                    "100 % of 300 requests stand alone and sample with randomness, 1.5 "
                    "answers per request on average, with the same settings throughout."
                ),
            ),
            (
                marcus_the_harvester(parameter_sets=3),
                "100 % of 300 requests stand alone and sample with randomness, with 3 sets of settings throughout.",
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
