from governance.detection.detectors.in_favour.end_users import detect
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk


class TestEndUsers:
    def test_credits_people_in_conversations(self) -> None:
        finding = detect(samira_the_support_desk())

        assert finding is not None
        assert finding.strength > 0.8
        assert "name one of 120 end users and 100 % belong to one of 110 conversations" in finding.sentence

    def test_gives_nothing_to_one_made_up_end_user_behind_everything(self) -> None:
        finding = detect(marcus_the_harvester(end_user_share=1.0, end_users=1))

        assert finding is None or finding.strength == 0

    def test_gives_nothing_to_names_made_up_anew_for_every_request(self) -> None:
        made_up = marcus_the_harvester(end_user_share=1.0, end_users=300, conversation_share=1.0, conversations=300)

        finding = detect(made_up)

        assert finding is None or finding.strength == 0

    def test_gives_nothing_to_a_harvest(self) -> None:
        finding = detect(marcus_the_harvester())

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
