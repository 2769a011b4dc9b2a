from governance.detection.detectors.against.shared_card import detect
from tests.detection.usages import facts, marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk


class TestSharedCard:
    def test_sees_a_card_that_pays_for_many_unattended_accounts(self) -> None:
        finding = detect(marcus_the_harvester(facts=facts(card_accounts=7)))

        assert finding is not None
        assert finding.strength > 0.8
        assert "pays for 7 other accounts" in finding.sentence

    def test_passes_over_an_agency_that_pays_for_its_clients(self) -> None:
        finding = detect(samira_the_support_desk(facts=facts(card_accounts=11)))

        assert finding is None or finding.strength == 0

    def test_passes_over_a_company_with_two_accounts(self) -> None:
        finding = detect(marcus_the_harvester(facts=facts(card_accounts=1)))

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
