from governance.detection.detectors.in_favour.matches_declared_use import detect
from tests.detection.usages import facts, marcus_the_harvester, nadia_the_newcomer, samira_the_support_desk


class TestDeclaredUse:
    def test_credits_a_support_desk_that_said_so(self) -> None:
        finding = detect(samira_the_support_desk())

        assert finding is not None
        assert finding.strength > 0.8
        assert "Declared as “customer support”" in finding.sentence

    def test_gives_nothing_to_a_support_desk_without_conversations(self) -> None:
        finding = detect(marcus_the_harvester(facts=facts(declared_use="customer support")))

        assert finding is None or finding.strength == 0

    def test_gives_nothing_where_nothing_was_declared(self) -> None:
        finding = detect(samira_the_support_desk(facts=facts()))

        assert finding is None or finding.strength == 0

    def test_says_nothing_of_an_account_that_did_nothing(self) -> None:
        finding = detect(nadia_the_newcomer())

        assert finding is None
