from typing import Any

import pytest

from governance.detection.detectors.against.dialogue_self_play import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"markers": {"persona": 0.6}}


class TestDialogueSelfPlay:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"texts": 19}, None, id="too few prompts"),
            pytest.param({"texts": 20}, 1.0, id="just enough prompts"),
            pytest.param({"markers": {"persona": 0.1}}, None, id="as ordinary customers do"),
            pytest.param({"markers": {"persona": 0.105}}, 0.01, id="just above"),
            pytest.param({"markers": {"persona": 0.35}}, 0.5, id="half"),
            pytest.param({"markers": {"persona": 0.6}}, 1.0, id="full"),
            pytest.param({"end_user_share": 0.25}, 0.75, id="some end users"),
            pytest.param({"conversation_share": 0.5}, 0.5, id="some conversations"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(samira_the_support_desk(markers={"persona": 0.94}), 0.0, id="a game with players"),
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
                marcus_the_harvester(markers={"persona": 0.94}, systems=29, end_user_share=0.1),
                (
                    "94 % of 300 prompts give the model a role to play, under 29 different system prompts; 90 % of "
                    "300 requests name neither an end user nor a conversation."
                ),
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
