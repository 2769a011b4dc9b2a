from typing import Any

import pytest

from governance.detection.detectors.in_favour.matches_declared_use import detect
from governance.usage.account_usage import AccountUsage
from tests.detection.usages import (
    facts,
    marcus_the_harvester,
    nadia_the_newcomer,
    samira_the_support_desk,
    strength_of,
    tomas_the_translator,
    usage,
)


class TestMatchesDeclaredUse:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param({"texts": 9}, None, id="too few prompts"),
            pytest.param({"texts": 10}, 1.0, id="just enough prompts"),
            pytest.param({"facts": facts()}, None, id="nothing declared"),
            pytest.param({"facts": facts(declared_use="poetry")}, None, id="a use that nothing measures"),
            pytest.param({"markers": {"translate": 0.49}}, None, id="just below half"),
            pytest.param({"markers": {"translate": 0.5}}, 0.5, id="half"),
            pytest.param(
                {"facts": facts(declared_use="translation and code"), "markers": {"translate": 0.3, "code": 0.6}},
                0.6,
                id="two uses, of which one fits better",
            ),
            pytest.param(
                {"facts": facts(declared_use="support chat"), "end_user_share": 1.0, "conversation_share": 1.0},
                None,
                id="fields that are filled",
            ),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(tomas_the_translator(**given))) == pytest.approx(strength)

    @pytest.mark.parametrize(
        ("account", "strength"),
        [
            pytest.param(
                marcus_the_harvester(facts=facts(declared_use="customer support")),
                None,
                id="a harvest declared as support",
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
                samira_the_support_desk(),
                "Declared as “customer support on documents”; 90 % of 300 prompts match that.",
            ),
            (
                tomas_the_translator(texts=290, facts=facts(declared_use="Translation")),
                "Declared as “Translation”; 100 % of 290 prompts match that.",
            ),
        ],
    )
    def test_sentence(self, account: AccountUsage, text: str) -> None:
        finding = detect(account)

        assert finding is not None
        assert text in finding.sentence

    @pytest.mark.parametrize(
        ("declared", "measured"),
        [
            *((word, {"markers": {"extract": 0.75}}) for word in ("extract", "structured")),
            *((word, {"markers": {"translate": 0.75}}) for word in ("translat", "localis", "localiz")),
            *((word, {"markers": {"classify": 0.75}}) for word in ("classif", "moderation", "tagging")),
            *((word, {"markers": {"summarise": 0.75}}) for word in ("summar", "notes", "minutes")),
            *((word, {"markers": {"benchmark": 0.75}}) for word in ("evaluat", "benchmark")),
            *((word, {"markers": {"code": 0.75}}) for word in ("cod", "develop", "program", "sql", "analytic")),
            *((word, {"markers": {"context": 0.75}}) for word in ("rag", "document", "search", "knowledge")),
            ("question answering", {"markers": {"context": 0.75}}),
        ],
    )
    def test_word_of_a_declaration_lets_expect_a_share(self, declared: str, measured: dict[str, Any]) -> None:
        stated = facts(declared_use=f"Our {declared.upper()} service")

        assert strength_of(detect(usage(**measured, texts=20, facts=stated))) == 0.75
        assert detect(usage(texts=20, facts=facts(declared_use=declared))) is None
