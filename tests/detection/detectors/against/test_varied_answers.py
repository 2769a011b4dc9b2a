from governance.detection.detectors.against.varied_answers import detect
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, tomas_the_translator


class TestVariedAnswers:
    def test_sees_several_answers_drawn_to_each_question(self) -> None:
        finding = detect(marcus_the_harvester(mean_n=4.0))

        assert finding is not None
        assert finding.strength > 0.8
        assert "4.0 answers a question on average" in finding.sentence

    def test_halves_a_copywriter_with_one_system_prompt(self) -> None:
        finding = detect(marcus_the_harvester(system_share=1.0))

        assert finding is not None
        assert 0 < finding.strength <= 0.6

    def test_passes_over_translation_at_low_temperature(self) -> None:
        finding = detect(tomas_the_translator())

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
