from dataclasses import replace
from typing import Any

import pytest

from governance.detection.detectors.against.broad_instructions import detect
from tests.detection.usages import nadia_the_newcomer, strength_of, usage

# Usage for which every curve is at its end; each case below changes something.
FULL: dict[str, Any] = {"openings": 25.0, "topic_entropy": 2.4, "breadth": 0.98, "sample": tuple(range(96))}
ACCOUNT = usage(texts=300, prompts=298, **FULL)


class TestBroadInstructions:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({}, 0.99, id="full"),
            pytest.param({"openings": 1.0}, 0.674, id="one opening"),
            pytest.param({"openings": 12.0}, 0.887, id="a dozen openings"),
            pytest.param({"topic_entropy": 0.0}, 0.518, id="one subject"),
            pytest.param({"breadth": 0.7}, 0.788, id="alike in wording"),
            pytest.param({"texts": 4}, 0.594, id="four prompts"),
            pytest.param({"breadth": None}, None, id="breadth unknown"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(replace(ACCOUNT, **given))) == pytest.approx(strength, abs=0.0006)

    def test_no_finding_without_usage(self) -> None:
        assert not strength_of(detect(nadia_the_newcomer()))

    def test_sentence(self) -> None:
        finding = detect(ACCOUNT)

        assert finding is not None
        assert finding.sentence == (
            "About 298 of 300 prompts differ. Of 30 first prompts of conversations, about 25 "
            "begin with different words. The 96 sampled prompts are on average 98 % as varied as "
            "unrelated texts (built-in reference)."
        )

    def test_sentence_of_prompts_more_varied_than_unrelated_texts(self) -> None:
        finding = detect(replace(ACCOUNT, breadth=1.07, openings=None))

        assert finding is not None
        assert "Of 30 first prompts of conversations, about 0 begin with different words" in finding.sentence
        assert "on average 100 % as varied as unrelated texts" in finding.sentence
