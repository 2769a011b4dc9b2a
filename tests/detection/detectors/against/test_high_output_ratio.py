from governance.detection.detectors.against.high_output_ratio import detect
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, tomas_the_translator, usage


class TestLongAnswers:
    def test_sees_answers_far_longer_than_peers_get(self) -> None:
        finding = detect(marcus_the_harvester(median_ratio=13.0, ratio_percentile=1.0, median_output=790))

        assert finding is not None
        assert finding.strength > 0.8
        assert "about 13.0 times as long as the question or longer" in finding.sentence

    def test_weighs_short_translations_less(self) -> None:
        finding = detect(tomas_the_translator())

        assert finding is not None
        assert 0 < finding.strength <= 0.6

    def test_passes_over_a_user_of_a_reasoning_model_like_its_peers(self) -> None:
        finding = detect(usage(median_ratio=40.0, ratio_percentile=0.8, median_output=1800, standalone_share=1.0))

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None


class TestWhoItIsComparedWith:
    def test_is_said_with_their_number(self) -> None:
        finding = detect(marcus_the_harvester(ratio_percentile=0.97, ratio_peers=412, median_output=400))

        assert finding is not None
        assert "On flagship-2 that is no less than with at least 399 of 412 accounts compared" in finding.sentence
