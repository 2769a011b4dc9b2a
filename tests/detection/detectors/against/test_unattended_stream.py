from governance.detection.detectors.against.unattended_stream import detect
from tests.detection.usages import (
    marcus_the_harvester,
    nadia_the_newcomer,
    samira_the_support_desk,
    tomas_the_translator,
)


class TestUnattendedStream:
    def test_sees_single_requests_in_numbers_that_no_person_types(self) -> None:
        finding = detect(marcus_the_harvester(active_days=5))

        assert finding is not None
        assert finding.strength > 0.8
        assert "60 on each of 5 active days" in finding.sentence

    def test_passes_over_a_batch_at_low_temperature(self) -> None:
        finding = detect(tomas_the_translator())

        assert finding is None or finding.strength == 0

    def test_thinks_less_of_somebody_at_the_keyboard_who_sleeps(self) -> None:
        by_day = (0,) * 8 + (30,) * 10 + (0,) * 6

        finding = detect(marcus_the_harvester(active_days=5, hours_of_day=by_day, busiest_hour=12))

        assert finding is not None
        assert finding.strength < 0.3

    def test_passes_over_a_product_with_people(self) -> None:
        finding = detect(samira_the_support_desk())

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
