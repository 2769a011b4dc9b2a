import pytest

from governance.detection.detectors.against.wrapper_of_a_campaign import detect
from governance.usage.account_usage import AccountFacts, CampaignFacts
from tests.detection.usages import facts, marcus_the_harvester, nadia_the_newcomer, strength_of


def near(wrapper_of: float, **ties: float) -> AccountFacts:
    return facts(near_campaign=CampaignFacts(members=24, ties={"wrapper_of": wrapper_of, **ties}))


class TestWrapperOfACampaign:
    @pytest.mark.parametrize(
        ("given", "strength"),
        [
            pytest.param(facts(), None, id="no campaign"),
            pytest.param(facts(campaign=CampaignFacts(members=24)), None, id="belongs to it"),
            pytest.param(near(0.0), None, id="does not use its wrappers"),
            pytest.param(facts(near_campaign=CampaignFacts(members=24)), None, id="nothing is known of its wrappers"),
            pytest.param(near(0.099), None, id="hardly uses them"),
            pytest.param(near(0.1), 0.1, id="uses them a little"),
            pytest.param(near(1.0), 1.0, id="uses what only members use"),
        ],
    )
    def test_strength(self, given: AccountFacts, strength: float | None) -> None:
        assert strength_of(detect(marcus_the_harvester(facts=given))) == pytest.approx(strength)

    def test_no_finding_without_usage(self) -> None:
        assert detect(nadia_the_newcomer()) is None

    def test_sentence(self) -> None:
        finding = detect(marcus_the_harvester(facts=near(0.6, wrappers=0.41)))

        assert finding is not None
        assert finding.sentence == (
            "It opens or closes at least 41 % of its prompts in words that hardly anyone uses, except 24 accounts of "
            "a campaign. Nothing else ties it to them."
        )

    def test_sentence_where_it_is_not_known_of_how_many_prompts(self) -> None:
        finding = detect(marcus_the_harvester(facts=near(0.6)))

        assert finding is not None
        assert finding.sentence.startswith("It opens or closes some of its prompts in words that hardly anyone uses")
        assert finding.evidence["wrapped_share"] == 0.0
