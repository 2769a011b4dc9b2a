from typing import Any

import pytest

from governance.detection.detectors.against.answers_as_lists import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"answered_share": 1.0, "listed_answer_share": 0.9}


class TestAnswersAsLists:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({}, 1.0, id="full"),
            pytest.param({"answered_share": 19 / 300}, None, id="too few answers"),
            pytest.param({"answered_share": 20 / 300}, 1.0, id="just enough answers"),
            pytest.param({"listed_answer_share": 0.4}, None, id="as many lists as anybody gets"),
            pytest.param({"listed_answer_share": 0.45}, 0.1, id="just above"),
            pytest.param({"listed_answer_share": 0.65}, 0.5, id="half"),
            pytest.param({"listed_answer_share": 1.0}, 1.0, id="all"),
            pytest.param({"follow_up_share": 0.5}, 0.5, id="half within conversations"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(
                samira_the_support_desk(answered_share=1.0, listed_answer_share=0.35), None, id="steps for customers"
            ),
        ],
    )
    def test_strength_for_look_alikes(self, account: AccountUsage, strength: float | None) -> None:
        assert strength_of(detect(account)) == pytest.approx(strength)

    def test_no_finding_without_usage(self) -> None:
        assert detect(nadia_the_newcomer()) is None

    def test_sentence(self) -> None:
        finding = detect(marcus_the_harvester(**FULL))

        assert finding is not None
        assert finding.sentence == (
            "90 % of the answers to 300 requests are lists of five items or more, and at least four times as long as "
            "their questions."
        )
