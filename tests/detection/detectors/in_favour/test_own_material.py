from dataclasses import replace
from typing import Any

import pytest

from governance.detection.detectors.in_favour.own_material import detect
from tests.detection.usages import nadia_the_newcomer, strength_of, usage

# Usage for which every curve is at its end; each case below changes something.
FULL: dict[str, Any] = {"work_share": 1.0, "concepts": {"docwork": 0.76, "code": 0.56}, "top_template_share": 1.0}
ACCOUNT = usage(texts=300, prompts=298, **FULL)


class TestOwnMaterial:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({}, 0.988, id="full"),
            pytest.param({"concepts": {"docwork": 0.76}}, 0.592, id="documents alone"),
            pytest.param(
                {
                    "work_share": 0.5,
                    "concepts": {"docwork": 0.3, "code": 0.1},
                    "top_template_share": 0.5,
                },
                0.358,
                id="half",
            ),
            pytest.param({"top_template_share": 0.0}, 0.446, id="ever-new templates"),
            pytest.param({"work_share": 0.0, "concepts": {}, "top_template_share": 0.0}, 0.0, id="none"),
            pytest.param(
                {
                    "work_share": 0.0,
                    "concepts": {},
                    "top_template_share": 0.0,
                    "structured_share": 1.0,
                    "tools_share": 1.0,
                },
                0.0,
                id="schema and tools filled, and nothing else",
            ),
            pytest.param({"texts": 5}, 0.593, id="five prompts"),
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
            "100 % of 300 prompts classify, translate, summarise, extract or ask about given text; 100 % share "
            "one prompt template."
        )
