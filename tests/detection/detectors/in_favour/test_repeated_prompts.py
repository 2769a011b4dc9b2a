from governance.detection.detectors.in_favour.repeated_prompts import detect
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk


class TestRepeats:
    def test_credits_questions_that_come_again(self) -> None:
        finding = detect(samira_the_support_desk(repeat_share=0.6))

        assert finding is not None
        assert finding.strength > 0.8
        assert "60 % of 300 prompts were sent before" in finding.sentence

    def test_gives_nothing_to_a_question_repeated_for_varied_answers(self) -> None:
        finding = detect(marcus_the_harvester(repeat_share=0.6))

        assert finding is None or finding.strength == 0

    def test_gives_nothing_to_a_harvest(self) -> None:
        finding = detect(marcus_the_harvester())

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
