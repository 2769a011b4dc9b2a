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
            pytest.param({"events": 9}, None, id="too few requests"),
            pytest.param({"events": 10}, 1.0, id="just enough requests"),
            pytest.param({"facts": facts()}, None, id="nothing declared"),
            pytest.param({"facts": facts(declared_use="poetry")}, None, id="a use that nothing measures"),
            pytest.param({"conversation_share": 0.49, "end_user_share": 0.49}, None, id="just below half"),
            pytest.param({"conversation_share": 0.5, "end_user_share": 0.0}, 0.5, id="half"),
            pytest.param({"conversation_share": 0.5, "end_user_share": 0.75}, 0.75, id="the larger of two shares"),
        ],
    )
    def test_strength(self, given: dict[str, Any], strength: float | None) -> None:
        assert strength_of(detect(samira_the_support_desk(**given))) == pytest.approx(strength)

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
            (samira_the_support_desk(), "Declared as “customer support”; 100 % of 300 requests match that."),
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
            *((word, {"conversation_share": 0.75}) for word in ("support", "chat", "assistant", "platform")),
            *((word, {"conversation_share": 0.75}) for word in ("education", "tutor")),
            *((word, {"end_user_share": 0.75}) for word in ("support", "platform", "copilot", "app")),
            *((word, {"tools_share": 0.75}) for word in ("agent", "automation")),
            *((word, {"structured_share": 0.75}) for word in ("extract", "classif", "moderation", "structured")),
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

        assert strength_of(detect(usage(**measured, facts=stated))) == 0.75
        assert detect(usage(facts=facts(declared_use=declared))) is None
