from governance.detection.detectors.against.machine_pace import detect
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk


class TestMachinePace:
    def test_sees_single_requests_round_the_clock(self) -> None:
        finding = detect(marcus_the_harvester(hours_of_day=(12,) * 24))

        assert finding is not None
        assert finding.strength > 0.8
        assert "100 % of the greatest possible evenness" in finding.sentence

    def test_passes_over_end_users_in_all_time_zones(self) -> None:
        finding = detect(samira_the_support_desk(hours_of_day=(12,) * 24))

        assert finding is None or finding.strength == 0

    def test_passes_over_office_hours(self) -> None:
        finding = detect(marcus_the_harvester(hours_of_day=(0,) * 9 + (40,) * 8 + (0,) * 7))

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
