from dataclasses import replace
from typing import Any

import pytest

from governance.detection.detectors.in_favour.people_ask import detect
from tests.detection.usages import nadia_the_newcomer, strength_of, usage

# Usage for which every curve is at its end; each case below changes something.
FULL: dict[str, Any] = {
    "person_share": 1.0,
    "polite_share": 0.42,
    "concepts": {"support": 0.7, "chat": 0.31},
    "follow_up_share": 0.6,
}
ACCOUNT = usage(texts=300, prompts=298, **FULL)


class TestPeopleAsk:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({}, 0.983, id="full"),
            pytest.param({"person_share": 0.5, "polite_share": 0.2}, 0.738, id="half of them"),
            pytest.param({"person_share": 0.0, "concepts": {}}, 0.134, id="politeness alone"),
            pytest.param(
                {
                    "person_share": 0.0,
                    "polite_share": 0.0,
                    "concepts": {},
                    "follow_up_share": 0.0,
                },
                0.0,
                id="nobody",
            ),
            pytest.param(
                {
                    "person_share": 0.0,
                    "polite_share": 0.0,
                    "concepts": {},
                    "follow_up_share": 0.0,
                    "end_user_share": 1.0,
                    "end_users": 90,
                    "conversation_share": 1.0,
                    "conversations": 90,
                },
                0.0,
                id="end users named, and nobody asks",
            ),
            pytest.param({"texts": 5}, 0.59, id="five prompts"),
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
            "100 % of 300 prompts read as if someone needed help, and 60 % continue after an answer."
        )
