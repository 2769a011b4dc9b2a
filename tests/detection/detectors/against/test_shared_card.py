from typing import Any

import pytest

from governance.detection.detectors.against.shared_card import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import facts, marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"facts": facts(card_accounts=6)}


class TestSharedCard:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"facts": facts(card_accounts=1)}, None, id="one other account"),
            pytest.param({"facts": facts(card_accounts=2)}, 0.2, id="two others"),
            pytest.param({"facts": facts(card_accounts=4)}, 0.6, id="four others"),
            pytest.param({"facts": facts(card_accounts=6)}, 1.0, id="six others"),
            pytest.param({"standalone_share": 0.1}, 0.0, id="not alone"),
            pytest.param({"standalone_share": 0.4}, 0.5, id="half alone"),
            pytest.param({"standalone_share": 0.7}, 1.0, id="alone"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(
                samira_the_support_desk(facts=facts(card_accounts=11)), 0.0, id="an agency that pays for its clients"
            ),
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
                marcus_the_harvester(facts=facts(card_accounts=7)),
                "Its payment card also pays for 7 other accounts.",
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
