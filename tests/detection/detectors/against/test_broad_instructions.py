from governance.detection.detectors.against.broad_instructions import detect
from tests.detection.usages import (
    ellen_the_evaluator,
    marcus_the_harvester,
    nadia_the_newcomer,
    samira_the_support_desk,
    tomas_the_translator,
)


class TestBroadInstructions:
    def test_sees_a_stream_of_new_instructions_on_every_subject(self) -> None:
        finding = detect(marcus_the_harvester())

        assert finding is not None
        assert finding.strength > 0.8
        assert "About 298 of 300 prompts differ from each other" in finding.sentence

    def test_passes_over_a_public_examination(self) -> None:
        finding = detect(ellen_the_evaluator())

        assert finding is None or finding.strength == 0

    def test_passes_over_a_night_of_translation(self) -> None:
        finding = detect(tomas_the_translator())

        assert finding is None or finding.strength == 0

    def test_passes_over_a_chat_with_people(self) -> None:
        finding = detect(samira_the_support_desk())

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
