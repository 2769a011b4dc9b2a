from governance.detection.detectors.against.answer_rating import detect
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk


class TestJudging:
    def test_sees_verdicts_being_collected(self) -> None:
        finding = detect(marcus_the_harvester(markers={"judging": 0.9}))

        assert finding is not None
        assert finding.strength > 0.8
        assert "90 % of 300 prompts have answers rated" in finding.sentence

    def test_passes_over_a_support_desk_that_checks_one_answer_in_twenty(self) -> None:
        finding = detect(samira_the_support_desk(markers={"judging": 0.05}))

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
