from typing import Any

import pytest

from governance.detection.detectors.in_favour.end_users import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"end_users": 100, "conversation_share": 0.0, "conversations": 0}


class TestEndUsers:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"end_user_share": 0.3}, None, id="few of the requests"),
            pytest.param({"end_user_share": 0.306, "end_users": 30}, 0.01, id="just above"),
            pytest.param({"end_user_share": 0.6, "end_users": 50}, 0.5, id="half"),
            pytest.param({"end_user_share": 0.9}, 1.0, id="full"),
            pytest.param({"end_users": 0}, None, id="nobody named"),
            pytest.param({"events": 240, "end_users": 1}, 0.0, id="240 requests each"),
            pytest.param({"end_users": 2}, 0.5, id="150 each"),
            pytest.param({"end_users": 5}, 1.0, id="60 each"),
            pytest.param({"end_users": 300}, 0.0, id="one request each"),
            pytest.param({"end_users": 200}, 0.5, id="one and a half each"),
            pytest.param({"end_users": 150}, 1.0, id="two each"),
            pytest.param(
                {"end_user_share": 0.0, "end_users": 0, "conversation_share": 1.0, "conversations": 200},
                0.5,
                id="conversations of one and a half",
            ),
            pytest.param(
                {"conversation_share": 1.0, "conversations": 300},
                1.0,
                id="end users who come back, a conversation each time",
            ),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(samira_the_support_desk(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(
                marcus_the_harvester(end_user_share=1.0, end_users=1), 0.0, id="one made-up end user behind everything"
            ),
            pytest.param(
                marcus_the_harvester(end_user_share=1.0, end_users=300, conversation_share=1.0, conversations=300),
                0.0,
                id="names made up for every request",
            ),
            pytest.param(marcus_the_harvester(), None, id="a harvest"),
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
                samira_the_support_desk(),
                (
                    "Of 300 requests 100 % name one of 120 end users and 100 % belong to one of 110 conversations; "
                    "on average up to 2.7 requests each."
                ),
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
