from typing import Any

import pytest

from governance.detection.detectors.against.answers_sent_back import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import facts, marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"answered_share": 1.0, "returned_share": 0.6, "returned_of": 40}


class TestAnswersSentBack:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({}, 1.0, id="full"),
            pytest.param({"returned_of": 9}, None, id="too few to compare"),
            pytest.param({"returned_of": 10}, 1.0, id="just enough to compare"),
            pytest.param({"returned_share": 0.2}, None, id="what questions and answers have in common"),
            pytest.param({"returned_share": 0.24}, 0.1, id="just above"),
            pytest.param({"returned_share": 0.4}, 0.5, id="half"),
            pytest.param({"returned_share": 1.0}, 1.0, id="all"),
            pytest.param(
                {"returned_share": 0.0, "facts": facts(others_answers_share=0.4, others_answers_of=12)},
                0.5,
                id="answers to another account",
            ),
            pytest.param(
                {"returned_share": 0.0, "facts": facts(others_answers_share=0.4, others_answers_of=9)},
                None,
                id="too few of another account to compare",
            ),
            pytest.param(
                {"returned_share": 0.0, "facts": facts(others_answers_share=0.4, others_answers_of=10)},
                0.5,
                id="just enough of another account to compare",
            ),
            pytest.param({"conversation_share": 1.0, "conversations": 150}, 0.625, id="half of it resumes"),
            pytest.param({"conversation_share": 1.0, "conversations": 0}, 0.25, id="one conversation counts little"),
            pytest.param({"conversation_share": 1.0, "conversations": 300}, 1.0, id="ids that never come twice"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(
                samira_the_support_desk(answered_share=1.0, returned_share=0.12, returned_of=60),
                None,
                id="customers who quote what the bot said",
            ),
        ],
    )
    def test_strength_for_look_alikes(self, account: AccountUsage, strength: float | None) -> None:
        assert strength_of(detect(account)) == pytest.approx(strength)

    def test_no_finding_without_usage(self) -> None:
        assert detect(nadia_the_newcomer()) is None

    def test_sentence(self) -> None:
        finding = detect(marcus_the_harvester(**FULL))

        assert finding is not None
        assert finding.sentence == (
            "60 % of the four-word runs in its first questions (40 sampled) stand in answers that it was given itself."
        )

    def test_sentence_speaks_of_its_own_answers_where_both_come_back_as_much(self) -> None:
        finding = detect(marcus_the_harvester(**FULL, facts=facts(others_answers_share=0.6, others_answers_of=20)))

        assert finding is not None
        assert finding.sentence.endswith("answers that it was given itself.")

    def test_sentence_of_answers_to_others(self) -> None:
        finding = detect(marcus_the_harvester(**FULL, facts=facts(others_answers_share=0.75, others_answers_of=20)))

        assert finding is not None
        assert finding.sentence == (
            "75 % of the four-word runs in its first questions (20 sampled) stand in answers given to an account of "
            "another organisation."
        )
