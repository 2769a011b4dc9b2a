import pytest

from governance.campaigns.groups import find_groups
from governance.campaigns.traits import TraitKind
from tests.campaigns.tables import FOUR_WRAPPERS, Village, hydra, prompts_of


@pytest.fixture
def village() -> Village:
    return Village()


def members(village: Village, **given: object) -> list[set[int]]:
    return [set(group.members) for group in find_groups(village.links(), **given)]  # type: ignore[arg-type]


class TestAGroup:
    def test_is_accounts_tied_by_several_kinds(self, village: Village) -> None:
        hydra(village, range(1, 7))
        for stranger in (20, 21, 22):
            village.account(stranger, wrappers={stranger: 1.0}, prompts=prompts_of(stranger))

        assert members(village) == [{1, 2, 3, 4, 5, 6}]

    def test_says_how_each_belongs_to_it(self, village: Village) -> None:
        hydra(village, range(1, 5))

        (group,) = find_groups(village.links())

        assert group.members[1].tied_to == 3
        assert group.members[1].ties == {"wrappers": 1.0, "shards": 1.0}
        assert group.members[1].strength == 1.0

    def test_takes_three(self, village: Village) -> None:
        hydra(village, [1, 2])

        assert members(village) == []

    def test_needs_more_than_one_kind_of_tie(self, village: Village) -> None:
        for client in range(1, 6):
            village.account(client, card=5)

        assert members(village) == []

    def test_is_not_joined_with_another_by_lists_of_wrappers_that_overlap(self, village: Village) -> None:
        hydra(village, range(1, 7))
        hydra(village, range(11, 16), wrappers={12: 0.25, 13: 0.25, 14: 0.25, 15: 0.25})

        assert members(village) == [{1, 2, 3, 4, 5, 6}, {11, 12, 13, 14, 15}]

    def test_takes_in_who_sends_no_text_by_a_card_that_pays_for_several_of_it(self, village: Village) -> None:
        for head in range(1, 5):
            village.account(head, wrappers=FOUR_WRAPPERS, prompts=prompts_of(head), card=5)
        village.account(9, card=5)

        assert members(village) == [{1, 2, 3, 4, 9}]

    def test_is_found_where_nobody_sends_text(self, village: Village) -> None:
        for head in range(1, 5):
            village.account(head, addresses={7: 0.5, 8: 0.3, 9: 0.2}, card=5)

        assert members(village) == [{1, 2, 3, 4}]

    def test_leaves_out_who_is_barred_and_says_so(self, village: Village) -> None:
        hydra(village, range(1, 7))

        (group,) = find_groups(village.links(), barred={6})

        assert set(group.members) == {1, 2, 3, 4, 5}
        assert set(group.left_out) == {6}

    def test_does_not_grow_by_the_traffic_it_hides_in(self, village: Village) -> None:
        for head in range(1, 6):
            cover = {wrapper: share / 2 for wrapper, share in FOUR_WRAPPERS.items()} | {90: 0.5}
            village.account(head, wrappers=cover, prompts=prompts_of(head))
        for customer in range(30, 40):
            village.account(customer, wrappers={90: 1.0}, prompts=prompts_of(customer))
        village.known_to(TraitKind.TEMPLATE, 90, 400)

        assert members(village) == [{1, 2, 3, 4, 5}]
