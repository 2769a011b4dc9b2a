from typing import Any

import pytest

from governance.detection.detectors.in_favour.evaluation_harness import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import ellen_the_evaluator, facts, marcus_the_harvester, nadia_the_newcomer, strength_of

# Usage of an examination in no fixed wrapping, for which the strength is 0.6; each case below changes one thing.
FULL: dict[str, Any] = {
    "seeded_share": 0.0,
    "steady_templates": 0,
    "steady_share": 0.0,
    "top_template_share": 0.0,
    "markers": {"benchmark": 0.8},
    "facts": facts(),
}


class TestEvaluationHarness:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"texts": 9}, None, id="too few prompts"),
            pytest.param({"texts": 10}, 0.6, id="just enough prompts"),
            pytest.param({"markers": {"benchmark": 0.3}}, None, id="few examination questions"),
            pytest.param({"markers": {"benchmark": 0.305}}, 0.01 * 0.6, id="just above"),
            pytest.param({"markers": {"benchmark": 0.55}}, 0.5 * 0.6, id="half"),
            pytest.param({"markers": {"benchmark": 0.8}}, 0.6, id="full"),
            pytest.param(
                {"markers": {}, "facts": facts(evaluation_share=0.15)}, None, id="few words of a known evaluation"
            ),
            pytest.param({"markers": {}, "facts": facts(evaluation_share=0.375)}, 0.5 * 0.6, id="half of the words"),
            pytest.param({"markers": {}, "facts": facts(evaluation_share=0.6)}, 0.6, id="its words"),
            pytest.param({"making_share": 0.2}, 0.6, id="some tasks made"),
            pytest.param({"making_share": 0.201}, None, id="too many tasks made"),
            pytest.param({"cold_share": 0.5}, 0.5 * 0.6, id="half cold"),
            pytest.param({"seeded_share": 0.5}, 0.8, id="half seeded"),
            pytest.param({"seeded_share": 1.0, "cold_share": 0.0}, 1.0, id="seeded"),
            pytest.param(
                {"cold_share": 0.0, "unset_temperature_share": 0.5},
                0.5 * 0.6,
                id="no temperature set in an examination",
            ),
            pytest.param(
                {"markers": {"benchmark": 0.55}, "cold_share": 0.0, "unset_temperature_share": 1.0},
                0.5 * 0.5 * 0.6,
                id="no temperature set in half of one",
            ),
            pytest.param({"mean_n": 1.5}, 0.6, id="one and a half answers"),
            pytest.param({"mean_n": 2.75}, 0.3, id="more answers"),
            pytest.param({"mean_n": 4.0}, 0.0, id="four answers"),
            pytest.param(
                {"markers": {}, "steady_share": 1.0, "top_template_share": 1.0},
                0.5 * 0.6,
                id="one private wrapping counts half",
            ),
            pytest.param({"markers": {}, "steady_share": 1.0, "top_template_share": 0.7}, None, id="no wrapping leads"),
            pytest.param(
                {"markers": {}, "steady_share": 1.0, "top_template_share": 0.825}, 0.25 * 0.6, id="one leads somewhat"
            ),
            pytest.param({"markers": {}, "steady_share": 1.0, "top_template_share": 0.95}, 0.5 * 0.6, id="one leads"),
            pytest.param(
                {"markers": {}, "steady_share": 0.5, "top_template_share": 0.5}, None, id="half in the wrapping"
            ),
            pytest.param(
                {"markers": {}, "steady_share": 0.7, "top_template_share": 0.7}, 0.25 * 0.6, id="more in the wrapping"
            ),
            pytest.param(
                {"markers": {}, "steady_share": 0.9, "top_template_share": 0.9}, 0.5 * 0.6, id="most in the wrapping"
            ),
            pytest.param(
                {"markers": {}, "steady_share": 1.0, "top_template_share": 1.0, "facts": facts(template_accounts=2)},
                0.5 * 0.6,
                id="two others use it",
            ),
            pytest.param(
                {"markers": {}, "steady_share": 1.0, "top_template_share": 1.0, "facts": facts(template_accounts=5)},
                0.5 * 0.8,
                id="five others use it",
            ),
            pytest.param(
                {"markers": {}, "steady_share": 1.0, "top_template_share": 1.0, "facts": facts(template_accounts=8)},
                1.0,
                id="eight others use it",
            ),
            pytest.param(
                {"markers": {}, "steady_share": 1.0, "top_template_share": 1.0, "facts": facts(customers_known=1_000)},
                0.5 * 0.6,
                id="nobody else in many customers",
            ),
            pytest.param(
                {"markers": {}, "steady_share": 1.0, "top_template_share": 1.0, "facts": facts(customers_known=650)},
                0.5 * 0.8,
                id="in fewer customers",
            ),
            pytest.param(
                {"markers": {}, "steady_share": 1.0, "top_template_share": 1.0, "facts": facts(customers_known=300)},
                1.0,
                id="in few customers",
            ),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(ellen_the_evaluator(**FULL | given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(ellen_the_evaluator(mean_n=8.0), 0.0, id="a harvest of several answers a question"),
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
                ellen_the_evaluator(),
                (
                    "100 % of 300 prompts are examination questions; 100 % of the prompts in a template are in the "
                    "same one; 100 % of 300 requests are set for "
                    "repeatable answers; 24 other accounts also use its prompt template."
                ),
            ),
            (
                ellen_the_evaluator(
                    shingles=(1, 2), facts=facts(customers_known=1_400, template_accounts=9, evaluation_share=0.4)
                ),
                (
                    "100 % of 300 prompts are examination questions; 100 % of the prompts in a template are in the "
                    "same one; 100 % of 300 requests are set for "
                    "repeatable answers; 40 % of the words in its prompts (2 sampled) are a known evaluation's; 9 of "
                    "1,400 accounts known are of other organisations and use its prompt template."
                ),
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence


def test_sentence_names_no_share_of_nothing() -> None:
    asks_no_examination = ellen_the_evaluator(markers={}, facts=facts(customers_known=1_400, template_accounts=9))
    finding = detect(asks_no_examination)

    assert finding is not None
    assert finding.strength > 0
    assert finding.sentence.startswith("100 % of the prompts in a template are in the same one")
    assert "examination" not in finding.sentence
