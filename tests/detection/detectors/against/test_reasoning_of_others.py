from typing import Any

import pytest

from governance.detection.detectors.against.reasoning_of_others import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import facts, marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of


def passed_on(blocks: int, accounts: int = 1) -> dict[str, Any]:
    return {"reasoning": tuple(range(50)), "facts": facts(shared_reasoning=blocks, reasoning_accounts=accounts)}


class TestReasoningOfOthers:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param(passed_on(0), None, id="its own alone"),
            pytest.param(passed_on(1), None, id="one block"),
            pytest.param(passed_on(2), 1 / 7, id="two blocks"),
            pytest.param(passed_on(8), 1.0, id="full"),
            pytest.param(passed_on(50, 9), 1.0, id="all"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(
                samira_the_support_desk(reasoning=tuple(range(50))), None, id="agents that send back their own"
            ),
        ],
    )
    def test_strength_for_look_alikes(self, account: AccountUsage, strength: float | None) -> None:
        assert strength_of(detect(account)) == pytest.approx(strength)

    def test_no_finding_without_usage(self) -> None:
        assert detect(nadia_the_newcomer()) is None

    def test_sentence(self) -> None:
        finding = detect(marcus_the_harvester(**passed_on(7, 2)))

        assert finding is not None
        assert finding.sentence == (
            "7 of its 50 sampled signed reasoning blocks were also sent by 2 accounts of other organisations."
        )

    def test_sentence_of_one_other_account(self) -> None:
        finding = detect(marcus_the_harvester(**passed_on(7, 1)))

        assert finding is not None
        assert finding.sentence.endswith("were also sent by 1 account of another organisation.")
