from typing import Any

import pytest

from governance.detection.detectors.in_favour.single_narrow_job import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import marcus_the_harvester, nadia_the_newcomer, strength_of, tomas_the_translator

# Usage for which the strength is 1; each case below changes one thing.
FULL: dict[str, Any] = {"breadth": 0.9}


class TestSingleNarrowJob:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"texts": 9}, None, id="too few prompts"),
            pytest.param({"texts": 10}, 1.0, id="just enough prompts"),
            pytest.param({"work_share": 0.4}, None, id="little work"),
            pytest.param({"work_share": 0.405}, 0.01, id="just above"),
            pytest.param({"work_share": 0.65}, 0.5, id="half"),
            pytest.param({"work_share": 0.9}, 1.0, id="full"),
            pytest.param({"making_share": 0.2}, 1.0, id="some tasks made"),
            pytest.param({"making_share": 0.201}, None, id="too many tasks made"),
            pytest.param({"top_template_share": 0.5}, 0.5, id="half in one wrapping"),
            pytest.param(
                {"top_template_share": 0.5, "top_system_share": 0.75}, 0.75, id="most under one system prompt"
            ),
            pytest.param({"top_template_share": 0.0, "breadth": 0.8}, 0.0, id="unlike each other"),
            pytest.param({"top_template_share": 0.0, "breadth": 0.7}, 0.5, id="more alike"),
            pytest.param({"top_template_share": 0.0, "breadth": 0.6}, 1.0, id="alike"),
            pytest.param({"top_template_share": 0.0, "breadth": None}, 0.0, id="no breadth measured"),
            pytest.param({"mean_n": 1.5}, 1.0, id="one and a half answers"),
            pytest.param({"mean_n": 2.75}, 0.5, id="more answers"),
            pytest.param({"mean_n": 4.0}, 0.0, id="four answers"),
            pytest.param({"markers": {"reasoning": 0.25}}, 0.75, id="some reasoning asked"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(tomas_the_translator(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(tomas_the_translator(making_share=0.8), None, id="tasks made about documents"),
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
                tomas_the_translator(work_share=0.95),
                (
                    "95 % of 300 prompts classify, translate, summarise, extract or ask about given text; 100 % "
                    "share one prompt template or system prompt."
                ),
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence
