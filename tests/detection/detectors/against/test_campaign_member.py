from governance.detection.detectors.against.campaign_member import detect
from governance.usage.account_usage import CampaignFacts
from tests.detection.usages import facts, marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk


class TestActsWithOthers:
    def test_sees_one_of_many(self) -> None:
        campaign = CampaignFacts(members=24, tied_to=19, belongs=0.9, ties={"card": 0.8, "wrappers": 1.0})

        finding = detect(marcus_the_harvester(facts=facts(campaign=campaign)))

        assert finding is not None
        assert finding.strength == 0.9
        assert finding.sentence == (
            "It is one of 24 accounts of a campaign, and tied to 19 of them: by one or more of the same wrappers in "
            "the same proportions and one card."
        )

    def test_passes_over_an_account_in_no_campaign(self) -> None:
        finding = detect(samira_the_support_desk(facts=facts(card_accounts=11)))

        assert finding is None

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
