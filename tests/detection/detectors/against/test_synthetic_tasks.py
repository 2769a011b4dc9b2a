from governance.detection.detectors.against.synthetic_tasks import detect
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk


class TestTaskMaking:
    def test_sees_an_instruction_set_being_grown(self) -> None:
        finding = detect(marcus_the_harvester(making_share=0.8, markers={"task_generation": 0.8}))

        assert finding is not None
        assert finding.strength > 0.8
        assert "80 % of 300 prompts have the model make new tasks" in finding.sentence

    def test_passes_over_a_quiz_app_whose_users_ask(self) -> None:
        finding = detect(samira_the_support_desk(making_share=0.6, markers={"synthetic_qa": 0.6}))

        assert finding is None or finding.strength == 0

    def test_passes_over_a_product_that_now_and_then_asks_for_examples(self) -> None:
        finding = detect(samira_the_support_desk(making_share=0.03))

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
