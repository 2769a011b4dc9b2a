from typing import Any

import pytest

from governance.detection.detectors.against.known_corpus import detect
from governance.usage.account_usage import AccountFacts, AccountUsage
from tests.detection.usages import facts, marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk, strength_of


def asking_from_a_book(share: float) -> AccountFacts:
    return facts(corpus="the book", corpus_share=share)


# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"facts": asking_from_a_book(0.6)}


class TestKnownCorpus:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"texts": 19}, None, id="too few prompts"),
            pytest.param({"texts": 20}, 1.0, id="just enough prompts"),
            pytest.param({"facts": asking_from_a_book(0.15)}, None, id="what any text has in common with it"),
            pytest.param({"facts": asking_from_a_book(0.1545)}, 0.01, id="just above"),
            pytest.param({"facts": asking_from_a_book(0.375)}, 0.5, id="half"),
            pytest.param({"facts": asking_from_a_book(0.6)}, 1.0, id="full"),
            pytest.param({"end_user_share": 0.25}, 0.75, id="some end users"),
            pytest.param({"conversation_share": 0.5, "end_user_share": 0.25}, 0.5, id="some conversations"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(
                samira_the_support_desk(facts=asking_from_a_book(0.5)), 0.0, id="pupils who ask from the book"
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
                marcus_the_harvester(shingles=(1, 2), facts=asking_from_a_book(0.7)),
                "70 % of the four-word runs in its prompts (2 sampled) also occur in “the book”.",
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
