from governance.detection.detectors import all_detectors
from governance.detection.detectors.against.high_volume_young_account import detect
from tests.detection.usages import (
    SIGNED_UP,
    marcus_the_harvester,
    nadia_the_newcomer,
    samira_the_support_desk,
    tomas_the_translator,
)


class TestFreshAccount:
    def test_sees_a_newcomer_at_full_volume(self) -> None:
        finding = detect(marcus_the_harvester(active_days=5))

        assert finding is not None
        assert finding.strength > 0.8
        assert "3 days after sign-up" in finding.sentence

    def test_passes_over_a_new_product_with_people(self) -> None:
        finding = detect(samira_the_support_desk(first_at=SIGNED_UP))

        assert finding is None or finding.strength == 0

    def test_passes_over_an_old_customer(self) -> None:
        finding = detect(tomas_the_translator())

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None

    def test_claims_no_more_than_that_the_account_is_young(self) -> None:
        (found,) = [detector for detector in all_detectors() if detector.name == "high_volume_young_account"]

        assert found.title == "High volume from a young account"
