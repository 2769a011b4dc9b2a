from dataclasses import replace
from typing import Any

import pytest

from governance.detection.detectors.against.rotating_wrappers import detect
from tests.detection.usages import nadia_the_newcomer, strength_of, usage

# Usage for which every curve is at its end; each case below changes something.
FULL: dict[str, Any] = {"templates_used": tuple((number, 40) for number in range(7)), "top_template_share": 0.13}
ACCOUNT = usage(texts=300, prompts=298, **FULL)


class TestRotatingWrappers:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({}, 1.0, id="full"),
            pytest.param(
                {
                    "templates_used": ((1, 80), (2, 70), (3, 70), (4, 70)),
                    "top_template_share": 0.27,
                },
                0.857,
                id="four templates",
            ),
            pytest.param(
                {
                    "templates_used": ((1, 150), (2, 150)),
                    "top_template_share": 0.5,
                },
                0.528,
                id="two templates",
            ),
            pytest.param({"templates_used": ((1, 300),), "top_template_share": 1.0}, 0.0, id="one template"),
            pytest.param({"templates_used": ((1, 2), (2, 2)), "top_template_share": 0.01}, 0.0, id="used twice only"),
            pytest.param({"templates_used": tuple((number, 3) for number in range(7))}, 1.0, id="used three times"),
            pytest.param({"texts": 10}, 0.68, id="ten prompts"),
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
            "7 templates are used three times or more in 300 prompts, the most common one for 13 %; about 100 %"
            " of all prompts differ from each other."
        )

    def test_sentence_of_templates_that_are_hardly_repeated(self) -> None:
        finding = detect(replace(ACCOUNT, templates_used=((1, 3), (2, 2)), repeat_share=0.3))

        assert finding is not None
        assert finding.sentence.startswith("1 template is used three times or more")
        assert finding.sentence.endswith("about 70 % of all prompts differ from each other.")
