from governance.detection.detectors.against.known_corpus import detect
from tests.detection.usages import facts, marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk


class TestKnownCorpus:
    def test_sees_a_public_instruction_set_being_asked(self) -> None:
        finding = detect(marcus_the_harvester(facts=facts(corpus="open instructions", corpus_share=0.7)))

        assert finding is not None
        assert finding.strength == 1
        assert "70 % of the runs of four words in its prompts are those of “open instructions”" in finding.sentence

    def test_passes_over_a_tutor_whose_pupils_ask_from_the_book(self) -> None:
        finding = detect(samira_the_support_desk(facts=facts(corpus="school book", corpus_share=0.5)))

        assert finding is None or finding.strength == 0

    def test_passes_over_what_any_text_has_in_common_with_it(self) -> None:
        finding = detect(marcus_the_harvester(facts=facts(corpus="open instructions", corpus_share=0.1)))

        assert finding is None

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
