from dataclasses import replace
from typing import Any

import pytest

from governance.detection.detectors.against.reasoning_elicitation import detect
from tests.detection.usages import nadia_the_newcomer, strength_of, usage

# Usage for which every curve is at its end; each case below changes something.
FULL: dict[str, Any] = {
    "reasoned_item_share": 0.5,
    "exercise_share": 0.7,
    "concepts": {"reason": 0.25},
    "markers": {"reasoning": 1.0},
}
ACCOUNT = usage(texts=300, prompts=298, **FULL)


class TestReasoningElicitation:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({}, 0.933, id="full"),
            pytest.param({"exercise_share": 0.0}, 0.789, id="no exercises"),
            pytest.param({"reasoned_item_share": 0.0}, 0.724, id="asked by persons"),
            pytest.param(
                {
                    "reasoned_item_share": 0.1,
                    "exercise_share": 0.1,
                    "concepts": {"reason": 0.1},
                    "markers": {"reasoning": 0.1},
                },
                0.825,
                id="a tenth",
            ),
            pytest.param(
                {
                    "reasoned_item_share": 0.0,
                    "exercise_share": 0.0,
                    "concepts": {},
                    "markers": {},
                },
                0.0,
                id="as ordinary customers",
            ),
            pytest.param({"texts": 5}, 0.56, id="five prompts"),
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
            "Of 300 prompts, 100 % ask for written-out reasoning, 50 % ask for it and mention no person, and 70 % are "
            "exercises with figures."
        )
