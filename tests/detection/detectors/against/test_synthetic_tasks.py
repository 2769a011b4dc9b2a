from typing import Any

import pytest

from governance.detection.detectors.against.synthetic_tasks import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"making_share": 0.35}


class TestSyntheticTasks:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"texts": 14}, None, id="too few prompts"),
            pytest.param({"texts": 15}, 1.0, id="just enough prompts"),
            pytest.param({"making_share": 0.05}, None, id="as ordinary customers do"),
            pytest.param({"making_share": 0.053}, 0.01, id="just above"),
            pytest.param({"making_share": 0.2}, 0.5, id="half"),
            pytest.param({"making_share": 0.35}, 1.0, id="full"),
            pytest.param({"end_user_share": 0.25}, 0.75, id="some end users"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(
                samira_the_support_desk(making_share=0.6, markers={"synthetic_qa": 0.6}),
                0.0,
                id="a quiz app whose users ask",
            ),
            pytest.param(
                samira_the_support_desk(making_share=0.03), None, id="a product that now and then asks for examples"
            ),
        ],
    )
    def test_strength_for_look_alikes(self, account: AccountUsage, strength: float | None) -> None:
        assert strength_of(detect(account)) == pytest.approx(strength)

    def test_no_finding_without_usage(self) -> None:
        assert detect(nadia_the_newcomer()) is None

    @pytest.mark.parametrize(
        ("account", "text"),
        [
            (
                marcus_the_harvester(making_share=0.8, markers={"task_generation": 0.8, "evolution": 0.2}),
                "80 % of 300 prompts ask the model to generate new tasks.",
            ),
            (
                marcus_the_harvester(making_share=0.8, markers={"evolution": 0.25, "synthetic_qa": 0.5}),
                "80 % of 300 prompts ask the model to generate rewritten, harder tasks and questions with answers.",
            ),
            (marcus_the_harvester(making_share=0.8), "80 % of 300 prompts ask the model to generate tasks."),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
