from dataclasses import replace
from typing import Any

import pytest

from governance.detection.detectors.against.answer_rating import detect
from tests.detection.usages import nadia_the_newcomer, strength_of, usage

# Usage for which every curve is at its end; each case below changes something.
FULL: dict[str, Any] = {"markers": {"judging": 0.5}}
ACCOUNT = usage(texts=300, prompts=298, **FULL)


class TestAnswerRating:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({}, 1.0, id="full"),
            pytest.param({"markers": {"critique": 0.5}}, 1.0, id="critique counts too"),
            pytest.param({"markers": {"judging": 0.05}}, 0.969, id="one in twenty"),
            pytest.param({"markers": {}}, 0.0, id="none"),
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
        assert finding.sentence == ("50 % of 300 prompts ask to rate, compare or criticise answers.")

    def test_sentence_of_critique(self) -> None:
        finding = detect(replace(ACCOUNT, markers={"critique": 0.4, "judging": 0.1}))

        assert finding is not None
        assert finding.sentence.startswith("40 % of 300 prompts")
