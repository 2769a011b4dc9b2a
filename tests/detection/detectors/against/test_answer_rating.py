from typing import Any

import pytest

from governance.detection.detectors.against.answer_rating import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"markers": {"judging": 0.5}}


class TestAnswerRating:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"texts": 19}, None, id="too few prompts"),
            pytest.param({"texts": 20}, 1.0, id="just enough prompts"),
            pytest.param({"markers": {"judging": 0.1}}, None, id="as ordinary customers do"),
            pytest.param({"markers": {"judging": 0.104}}, 0.01, id="just above"),
            pytest.param({"markers": {"judging": 0.3}}, 0.5, id="half"),
            pytest.param({"markers": {"judging": 0.5}}, 1.0, id="full"),
            pytest.param({"markers": {"critique": 0.3}}, 0.5, id="critiques"),
            pytest.param({"standalone_share": 0.5}, 0.5, id="half stand alone"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(
                samira_the_support_desk(markers={"judging": 0.05}),
                None,
                id="a support desk that checks one answer in twenty",
            ),
            pytest.param(samira_the_support_desk(markers={"judging": 0.9}), 0.0, id="ratings inside conversations"),
        ],
    )
    def test_strength_for_look_alikes(self, account: AccountUsage, strength: float | None) -> None:
        assert strength_of(detect(account)) == pytest.approx(strength)

    def test_no_finding_without_usage(self) -> None:
        assert detect(nadia_the_newcomer()) is None

    @pytest.mark.parametrize(
        ("account", "text"),
        [
            (
                marcus_the_harvester(markers={"judging": 0.9}),
                "90 % of 300 prompts ask to rate, compare or criticise answers.",
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
