from governance.detection.detectors.in_favour.public_prompts import detect
from tests.detection.usages import ellen_the_evaluator, facts, marcus_the_harvester, nadia_the_newcomer


class TestPublicPrompts:
    def test_credits_prompts_that_several_other_customers_send_too(self) -> None:
        finding = detect(ellen_the_evaluator(facts=facts(public_share=0.97, public_prompts=90)))

        assert finding is not None
        assert finding.strength > 0.9
        assert "97 % of the 90 sampled prompts were sent by at least four other accounts" in finding.sentence

    def test_gives_nothing_to_public_prompts_that_are_made_into_new_tasks(self) -> None:
        finding = detect(marcus_the_harvester(making_share=0.8, facts=facts(public_share=0.97)))

        assert finding is None or finding.strength == 0

    def test_gives_nothing_to_prompts_of_its_own(self) -> None:
        finding = detect(marcus_the_harvester(facts=facts(public_share=0.1)))

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
