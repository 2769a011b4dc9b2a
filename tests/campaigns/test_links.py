import pytest

from governance.campaigns.links import TIES
from governance.campaigns.traits import TraitKind
from tests.campaigns.tables import FOUR_WRAPPERS, Village, hydra, prompts_of


def ties(village: Village) -> dict[str, float]:
    """Those of the only pair; empty where there is none."""
    found = village.links()
    assert len(found) <= 1
    return {tie: round(found[tie][0], 2) for tie in TIES if found[tie][0] > 0} if len(found) else {}


@pytest.fixture
def village() -> Village:
    return Village()


class TestTwoAccountsAreTied:
    def test_by_rare_wrappers_in_the_same_proportions_around_different_prompts(self, village: Village) -> None:
        hydra(village, [1, 2])

        assert ties(village) == {"wrappers": 1.0, "shards": 1.0}

    def test_by_them_even_behind_as_much_of_other_traffic(self, village: Village) -> None:
        hidden = {wrapper: share / 2 for wrapper, share in FOUR_WRAPPERS.items()}
        hydra(village, [1, 2], wrappers=hidden)

        assert ties(village)["wrappers"] == 1.0

    def test_by_the_addresses_they_come_from_and_their_card(self, village: Village) -> None:
        for number in (1, 2):
            village.account(number, addresses={7: 0.4, 8: 0.3, 9: 0.3}, card=5)

        assert ties(village) == {"addresses": 1.0, "card": 0.8}

    def test_a_little_by_rare_settings(self, village: Village) -> None:
        for number in (1, 2):
            village.account(number, card=5, settings=3)

        assert ties(village) == {"card": 0.8, "settings": 0.4}


class TestTwoAccountsAreNotTied:
    def test_by_a_wrapper_that_a_framework_gives_to_many(self, village: Village) -> None:
        for number in (1, 2):
            village.account(number, wrappers={11: 1.0}, prompts=prompts_of(number))
        village.known_to(TraitKind.TEMPLATE, 11, 900)

        assert ties(village) == {}

    def test_by_lists_of_wrappers_that_overlap_by_half(self, village: Village) -> None:
        village.account(1, wrappers=FOUR_WRAPPERS, prompts=prompts_of(1))
        village.account(2, wrappers={13: 0.25, 14: 0.25, 15: 0.25, 16: 0.25}, prompts=prompts_of(2))

        assert ties(village) == {}

    def test_as_shards_when_they_send_the_same_prompts(self, village: Village) -> None:
        for number in (1, 2):
            village.account(number, wrappers=FOUR_WRAPPERS, prompts=prompts_of(1), card=5)

        assert "shards" not in ties(village)

    def test_as_shards_when_they_keep_to_one_narrow_job(self, village: Village) -> None:
        for number in (1, 2):
            village.account(number, wrappers=FOUR_WRAPPERS, prompts=prompts_of(number), breadth=0.3, card=5)

        assert "shards" not in ties(village)

    def test_within_an_organisation(self, village: Village) -> None:
        for number in (1, 2):
            village.account(number, wrappers=FOUR_WRAPPERS, prompts=prompts_of(number), card=5, organisation=77)

        assert ties(village) == {}

    def test_by_settings_alone(self, village: Village) -> None:
        for number in (1, 2):
            village.account(number, settings=3)

        assert ties(village) == {}

    def test_by_an_address_that_a_few_requests_came_from(self, village: Village) -> None:
        for number in (1, 2):
            village.account(number, addresses={7: 0.02, 100 + number: 0.98})

        assert ties(village) == {}

    def test_by_nothing(self, village: Village) -> None:
        village.account(1)
        village.account(2)

        assert ties(village) == {}
