from governance.detection.detectors.in_favour.single_narrow_job import detect
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, tomas_the_translator


class TestOneJob:
    def test_credits_a_night_of_translation(self) -> None:
        finding = detect(tomas_the_translator())

        assert finding is not None
        assert finding.strength > 0.8
        assert "100 % of 300 prompts classify, translate" in finding.sentence

    def test_gives_nothing_to_tasks_made_about_documents(self) -> None:
        finding = detect(tomas_the_translator(making_share=0.8))

        assert finding is None or finding.strength == 0

    def test_gives_nothing_to_a_harvest(self) -> None:
        finding = detect(marcus_the_harvester())

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
