from dataclasses import replace
from typing import Any

import pytest

from governance.detection.detectors.against.synthetic_tasks import detect
from tests.detection.usages import nadia_the_newcomer, strength_of, usage

# Usage for which every curve is at its end; each case below changes something.
FULL: dict[str, Any] = {
    "making_share": 0.5,
    "about_making_share": 0.5,
    "concepts": {"making": 0.75},
    "markers": {"task_generation": 0.5, "training": 0.2},
}
ACCOUNT = usage(texts=300, prompts=298, **FULL)


class TestSyntheticTasks:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({}, 0.989, id="full"),
            pytest.param(
                {
                    "making_share": 0.1,
                    "about_making_share": 0.1,
                    "concepts": {"making": 0.3},
                    "markers": {},
                },
                0.708,
                id="a tenth",
            ),
            pytest.param(
                {
                    "making_share": 0.0,
                    "about_making_share": 0.0,
                    "concepts": {"making": 0.04},
                    "markers": {},
                },
                0.035,
                id="as ordinary customers",
            ),
            pytest.param(
                {
                    "making_share": 0.0,
                    "about_making_share": 0.0,
                    "markers": {},
                },
                0.472,
                id="only nearest to it",
            ),
            pytest.param({"texts": 3}, 0.594, id="three prompts"),
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
            "50 % of 300 prompts ask the model to generate new tasks. 50 % ask for this, for a role or a "
            "rating, or speak of training, and 75 % are most like examples of such "
            "requests."
        )

    @pytest.mark.parametrize(
        ("markers", "what"),
        [
            pytest.param({"evolution": 0.5}, "rewritten, harder tasks", id="Evol-Instruct"),
            pytest.param({"synthetic_qa": 0.5}, "questions with answers", id="questions about a document"),
            pytest.param(
                {"task_generation": 0.2, "synthetic_qa": 0.13}, "new tasks and questions with answers", id="two kinds"
            ),
            pytest.param(
                {"task_generation": 0.2, "evolution": 0.125}, "new tasks", id="no more than a quarter is not named"
            ),
            pytest.param({}, "tasks", id="no kind known"),
        ],
    )
    def test_sentence_names_the_kinds_that_are_most_of_them(self, markers: dict[str, float], what: str) -> None:
        finding = detect(replace(ACCOUNT, markers=markers, concepts={}))

        assert finding is not None
        assert finding.sentence == (
            f"50 % of 300 prompts ask the model to generate {what}. 50 % ask for this, for a role or a "
            "rating, or speak of training, and 0 % are most like examples of such requests."
        )
