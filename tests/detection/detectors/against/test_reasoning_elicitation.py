from governance.detection.detectors.against.reasoning_elicitation import detect
from tests.detection.usages import (
    ellen_the_evaluator,
    marcus_the_harvester,
    nadia_the_newcomer,
    samira_the_support_desk,
)


class TestReasoningElicitation:
    def test_sees_a_collector_of_reasoning_traces(self) -> None:
        finding = detect(marcus_the_harvester(markers={"reasoning": 0.97}))

        assert finding is not None
        assert finding.strength > 0.8
        assert "97 % of 300 prompts ask for the reasoning" in finding.sentence

    def test_halves_an_evaluation_at_repeatable_settings(self) -> None:
        finding = detect(ellen_the_evaluator())

        assert finding is not None
        assert 0 < finding.strength <= 0.6

    def test_passes_over_a_tutor_in_conversations(self) -> None:
        finding = detect(samira_the_support_desk(markers={"reasoning": 0.5}))

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
