from governance.detection.detectors.against.token_probabilities import detect
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, tomas_the_translator


class TestAnswerProbabilities:
    def test_sees_probabilities_read_behind_free_answers(self) -> None:
        finding = detect(marcus_the_harvester(logprobs_share=1.0, top_logprobs=20, median_output=90))

        assert finding is not None
        assert finding.strength > 0.8
        assert "up to 20 alternatives a word" in finding.sentence

    def test_passes_over_a_classifier_that_reads_its_confidence(self) -> None:
        finding = detect(tomas_the_translator(logprobs_share=1.0, top_logprobs=5, median_output=2))

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
