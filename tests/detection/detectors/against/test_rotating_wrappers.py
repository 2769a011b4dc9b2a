from governance.detection.detectors.against.rotating_wrappers import detect
from tests.detection.usages import ellen_the_evaluator, marcus_the_harvester, nadia_the_newcomer


class TestRotatingWrappers:
    def test_sees_payloads_set_into_four_wrappings_by_turns(self) -> None:
        finding = detect(marcus_the_harvester(steady_templates=4, steady_share=0.95, top_template_share=0.27))

        assert finding is not None
        assert finding.strength > 0.8
        assert "4 wrappings hold 95 % of 300 prompts" in finding.sentence

    def test_passes_over_a_single_wrapping(self) -> None:
        finding = detect(ellen_the_evaluator())

        assert finding is None or finding.strength == 0

    def test_passes_over_an_application_with_four_functions_of_its_own(self) -> None:
        finding = detect(
            marcus_the_harvester(steady_templates=4, steady_share=0.95, top_template_share=0.27, bare_share=0.0)
        )

        assert finding is None or finding.strength == 0

    def test_passes_over_payloads_of_one_subject(self) -> None:
        finding = detect(
            marcus_the_harvester(steady_templates=4, steady_share=0.95, top_template_share=0.27, breadth=0.35)
        )

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
