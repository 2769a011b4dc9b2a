from dataclasses import replace
from typing import Any

import pytest

from governance.detection.curves import measure
from governance.detection.detectors.against.reads_like_a_data_set import FIGURES, detect
from tests.detection.usages import nadia_the_newcomer, strength_of, usage

# Usage for which every curve is at its end; each case below changes something.
FULL: dict[str, Any] = {
    "reads": 300,
    "reads_mean": 1.5,
    "reads_top_half": 2.1,
    "reads_top_quarter": 2.4,
    "reads_high_share": 0.7,
}
ACCOUNT = usage(texts=300, prompts=298, **FULL)


class TestReadsLikeADataSet:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({}, 0.968, id="full"),
            pytest.param(
                {
                    "reads_mean": -0.6,
                    "reads_top_half": -0.3,
                    "reads_top_quarter": 0.1,
                    "reads_high_share": 0.0,
                },
                0.0,
                id="as ordinary prompts",
            ),
            pytest.param({"reads_mean": 0.2, "reads_high_share": 0.35}, 0.753, id="half of it is cover"),
            pytest.param(
                {
                    "reads_mean": -0.2,
                    "reads_top_half": 0.6,
                    "reads_high_share": 0.18,
                },
                0.439,
                id="a quarter of it",
            ),
            pytest.param({"texts": 6, "reads": 6}, 0.297, id="six prompts"),
            pytest.param({"texts": 2, "reads": 2}, 0.0, id="two prompts"),
            pytest.param(
                {
                    "reads": 0,
                    "reads_mean": None,
                    "reads_top_half": None,
                    "reads_top_quarter": None,
                    "reads_high_share": 0.0,
                },
                None,
                id="no word vectors",
            ),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(replace(ACCOUNT, **given))) == pytest.approx(strength, abs=0.0006)

    def test_figures_are_unknown_where_nothing_was_read(self) -> None:
        assert set(measure(FIGURES, usage(texts=0)).values()) == {None}

    def test_no_finding_without_usage(self) -> None:
        assert not strength_of(detect(nadia_the_newcomer()))

    def test_sentence(self) -> None:
        finding = detect(ACCOUNT)

        assert finding is not None
        assert finding.sentence == (
            "70 % of 300 prompts read like items of a data set: complete, and about no one in particular. The "
            "half that does so most lies on average +2.1 standard deviations from ordinary prompts."
        )
