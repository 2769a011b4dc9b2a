from typing import Any

import pytest

from governance.detection.detectors.against.campaign_member import detect
from governance.usage.account_usage import AccountFacts, AccountUsage, CampaignFacts
from tests.detection.usages import facts, marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of


def in_campaign(belongs: float, **ties: float) -> AccountFacts:
    return facts(campaign=CampaignFacts(members=24, tied_to=19, belongs=belongs, ties=ties))


class TestCampaignMember:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"facts": facts()}, None, id="no campaign"),
            pytest.param({"facts": in_campaign(0.0)}, 0.0, id="no tie to it"),
            pytest.param({"facts": in_campaign(0.01)}, 0.01, id="a weak tie"),
            pytest.param({"facts": in_campaign(0.5)}, 0.5, id="half"),
            pytest.param({"facts": in_campaign(1.0)}, 1.0, id="full"),
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
        ("account", "text"),
        [
            (
                marcus_the_harvester(facts=in_campaign(0.9, card=0.8, wrappers=1.0)),
                (
                    "One of 24 accounts in a campaign, and linked to 19 of them by one or more of the same prompt "
                    "templates in the same proportions and the same payment card."
                ),
            ),
            (
                marcus_the_harvester(facts=in_campaign(0.9, card=0.15, wrappers=0.149)),
                "One of 24 accounts in a campaign, and linked to 19 of them by the same payment card.",
            ),
            (
                marcus_the_harvester(facts=in_campaign(0.9, card=0.149)),
                "One of 24 accounts in a campaign, and linked to 19 of them by weak ties only.",
            ),
            (
                marcus_the_harvester(facts=in_campaign(0.9, card=0.3, settings=0.3, shards=0.2, addresses=0.4)),
                (
                    "One of 24 accounts in a campaign, and linked to 19 of them by one or more of the same IP "
                    "addresses, the same payment card, the same rare settings and a shared prompt pool."
                ),
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
