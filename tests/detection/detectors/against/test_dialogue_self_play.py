from dataclasses import replace
from typing import Any

import pytest

from governance.detection.detectors.against.dialogue_self_play import detect
from tests.detection.usages import nadia_the_newcomer, strength_of, usage

# Usage for which every curve is at its end; each case below changes something.
FULL: dict[str, Any] = {"markers": {"persona": 0.6}, "systems": 29}
ACCOUNT = usage(texts=300, prompts=298, **FULL)


class TestDialogueSelfPlay:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({}, 1.0, id="full"),
            pytest.param({"markers": {"persona": 0.006}}, 1.0, id="one in a hundred"),
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
        assert finding.sentence == (
            "60 % of 300 prompts give the model a role to play, under 29 different system prompts."
        )
