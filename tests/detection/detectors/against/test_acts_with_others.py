from typing import Any

import pytest

from governance.detection.detectors.against.acts_with_others import detect
from governance.usage.account_usage import AccountFacts, AccountUsage, CampaignFacts
from tests.detection.usages import facts, marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of


def in_campaign(belongs: float, counts: float = 1.0, **ties: float) -> AccountFacts:
    campaign = CampaignFacts(members=36, organisations=28, tied_to=35, belongs=belongs, counts=counts, ties=ties)
    return facts(campaign=campaign)


class TestActsWithOthers:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"facts": facts()}, None, id="no campaign"),
            pytest.param({"facts": in_campaign(0.0)}, 0.0, id="does not belong"),
            pytest.param({"facts": in_campaign(0.75)}, 0.75, id="joined by an address"),
            pytest.param({"facts": in_campaign(1.0, counts=0.5)}, 0.5, id="core of a campaign at the line"),
            pytest.param({"facts": in_campaign(0.75, counts=0.5)}, 0.375, id="joined one at the line"),
            pytest.param({"facts": in_campaign(1.0)}, 1.0, id="core of a clear campaign"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(
                samira_the_support_desk(facts=facts(card_accounts=11)),
                None,
                id="one card for many accounts, in no campaign",
            ),
        ],
    )
    def test_strength_for_look_alikes(self, account: AccountUsage, strength: float | None) -> None:
        assert strength_of(detect(account)) == pytest.approx(strength)

    def test_no_finding_without_usage(self) -> None:
        assert detect(nadia_the_newcomer()) is None

    @pytest.mark.parametrize(
        ("ties", "text"),
        [
            (
                {"wrappers": 0.49, "card": 1.0},
                (
                    "It acts as one with 35 other accounts of 28 organisations: it opens or closes at least 49 % of "
                    "its prompts in the same words as they do; its card pays for others of them."
                ),
            ),
            (
                {"hours": 0.3, "addresses": 0.02, "wrappers": 0.019},
                (
                    "organisations: they are active in 30 % of the ten-minute spans in which it is; 2 % of "
                    "its requests come from addresses that they use."
                ),
            ),
            ({}, "organisations: by weak ties only."),
        ],
    )
    def test_sentence(self, ties: dict[str, float], text: str) -> None:
        finding = detect(marcus_the_harvester(facts=in_campaign(1.0, **ties)))

        assert finding is not None
        assert text in finding.sentence
