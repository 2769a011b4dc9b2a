from governance.risk.detectors.shared_wrappings import detect
from tests.risk.usages import (
    ellen_the_evaluator,
    facts,
    marcus_the_harvester,
    nadia_the_newcomer,
    tomas_the_translator,
)


class TestSharedWrappings:
    def test_sees_wrappings_in_common_with_unrelated_customers(self) -> None:
        finding = detect(
            marcus_the_harvester(
                steady_templates=4, steady_share=0.95, top_template_share=0.27, facts=facts(template_accounts=30)
            )
        )

        assert finding is not None
        assert finding.strength > 0.8
        assert "30 accounts of other organisations" in finding.sentence

    def test_passes_over_a_public_examination(self) -> None:
        finding = detect(ellen_the_evaluator())

        assert finding is None or finding.strength == 0

    def test_passes_over_the_template_of_a_framework(self) -> None:
        finding = detect(tomas_the_translator(facts=facts(template_accounts=27)))

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
