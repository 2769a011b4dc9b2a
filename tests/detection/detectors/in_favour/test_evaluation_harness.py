from governance.detection.detectors.in_favour.evaluation_harness import detect
from tests.detection.usages import ellen_the_evaluator, facts, marcus_the_harvester, nadia_the_newcomer


class TestEvaluationHarness:
    def test_credits_a_public_examination(self) -> None:
        finding = detect(ellen_the_evaluator())

        assert finding is not None
        assert finding.strength > 0.8
        assert "100 % of 300 prompts are examination questions" in finding.sentence

    def test_gives_nothing_to_a_harvest_of_several_answers_a_question(self) -> None:
        finding = detect(ellen_the_evaluator(mean_n=8.0))

        assert finding is None or finding.strength == 0

    def test_credits_half_a_single_repeatable_wrapping_that_nobody_else_is_known_to_use(self) -> None:
        finding = detect(ellen_the_evaluator(markers={"reasoning": 1.0}, facts=facts()))

        assert finding is not None
        assert 0 < finding.strength <= 0.5

    def test_gives_the_benefit_of_the_doubt_while_few_customers_are_known(self) -> None:
        finding = detect(ellen_the_evaluator(markers={}, facts=facts(customers_known=40)))

        assert finding is not None
        assert finding.strength > 0.8

    def test_gives_nothing_to_a_harvest(self) -> None:
        finding = detect(marcus_the_harvester())

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
