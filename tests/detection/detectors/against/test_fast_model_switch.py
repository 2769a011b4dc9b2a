from governance.detection.detectors.against.fast_model_switch import detect
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk


class TestModelPivot:
    def test_sees_traffic_move_to_a_new_model_at_once(self) -> None:
        finding = detect(marcus_the_harvester(pivot_share=0.6, pivot_events=120))

        assert finding is not None
        assert finding.strength > 0.8
        assert "60 % of its 120 requests went there" in finding.sentence

    def test_passes_over_a_product_that_tries_the_new_model_out(self) -> None:
        finding = detect(samira_the_support_desk(pivot_share=0.08, pivot_events=120))

        assert finding is None or finding.strength == 0

    def test_passes_over_an_enthusiast_with_end_users(self) -> None:
        finding = detect(samira_the_support_desk(pivot_share=0.6, pivot_events=120))

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
