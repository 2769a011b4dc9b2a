from governance.detection.detectors.against.dialogue_self_play import detect
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk


class TestSelfPlay:
    def test_sees_a_model_made_to_talk_to_itself(self) -> None:
        finding = detect(marcus_the_harvester(markers={"persona": 0.94}, systems=29))

        assert finding is not None
        assert finding.strength > 0.8
        assert "under 29 different system prompts" in finding.sentence

    def test_passes_over_a_game_with_players(self) -> None:
        finding = detect(samira_the_support_desk(markers={"persona": 0.94}))

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
