from dataclasses import replace
from typing import Any

import pytest

from governance.detection.detectors.against.set_items import detect
from tests.detection.usages import nadia_the_newcomer, strength_of, usage

# Usage for which every curve is at its end; each case below changes something.
FULL: dict[str, Any] = {"item_share": 0.6, "item_openings": 5.0, "concepts": {"item": 0.46}, "given_share": 0.3}
ACCOUNT = usage(texts=300, prompts=298, **FULL)


class TestSetItems:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({}, 0.979, id="full"),
            pytest.param(
                {
                    "item_share": 0.0,
                    "item_openings": 0.0,
                    "concepts": {},
                    "given_share": 0.0,
                },
                0.0,
                id="no task, and nothing given",
            ),
            pytest.param({"item_openings": 1.0}, 0.602, id="one verb for all"),
            pytest.param({"item_openings": 3.0}, 0.91, id="three verbs"),
            pytest.param({"item_share": 0.33}, 0.894, id="a third of them tasks"),
            pytest.param({"concepts": {"item": 0.1}}, 0.951, id="nearest to something else"),
            pytest.param({"texts": 5}, 0.588, id="five prompts"),
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
            "Of 30 first prompts of conversations, about 5.0 are such tasks and begin with different words; "
            "60 % of 300 prompts are complete tasks or questions that mention no person; "
            "30 % of 300 prompts speak of something given; "
            "the likeness of its prompts to example tasks is 0.46 of 1."
        )

    def test_sentence_names_only_what_counts(self) -> None:
        finding = detect(replace(ACCOUNT, item_share=0.0, item_openings=None))

        assert finding is not None
        assert finding.strength > 0
        assert "0 %" not in finding.sentence.replace("30 %", "")
        assert "first prompts" not in finding.sentence
