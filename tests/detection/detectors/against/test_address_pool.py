from governance.detection.detectors.against.address_pool import detect
from tests.detection.usages import facts, marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk


class TestAddressPool:
    def test_sees_one_program_at_addresses_of_many_networks(self) -> None:
        finding = detect(marcus_the_harvester(addresses=20, networks=12))

        assert finding is not None
        assert finding.strength > 0.8
        assert "20 addresses of 12 networks" in finding.sentence

    def test_passes_over_a_university_behind_one_address(self) -> None:
        finding = detect(samira_the_support_desk(facts=facts(address_accounts=23)))

        assert finding is None or finding.strength == 0

    def test_passes_over_a_platform_with_people(self) -> None:
        finding = detect(samira_the_support_desk(addresses=12, networks=9))

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
