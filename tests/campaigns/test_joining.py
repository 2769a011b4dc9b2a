"""Who joins a campaign by its addresses and cards, and by how little others do not."""

import pytest

from governance.campaigns.joining import JoinedAccount
from governance.campaigns.traits import TraitKind
from tests.campaigns.circle import Circle


@pytest.fixture
def circle() -> Circle:
    return Circle()


class TestAnAddress:
    """Of a campaign: three members send from it."""

    @pytest.fixture
    def circle(self) -> Circle:
        circle = Circle()
        circle.core(*[{"addresses": {7: 1.0}}] * 3)
        return circle

    @pytest.mark.parametrize(
        ("share", "belongs"),
        [
            pytest.param(1.0, 1.0, id="all of its requests"),
            pytest.param(0.4, 0.9, id="two fifths of its requests"),
            pytest.param(0.25, 0.75, id="a quarter of them"),
            pytest.param(0.249, None, id="less"),
        ],
    )
    def test_lets_an_account_join_that_sends_a_quarter_from_there(
        self, circle: Circle, share: float, belongs: float | None
    ) -> None:
        row = circle.add(addresses={7: share})

        assert circle.joining() == ([] if belongs is None else [JoinedAccount(row, 0, belongs)])

    def test_counts_by_the_share_of_its_other_users_who_are_members(self, circle: Circle) -> None:
        row = circle.add(addresses={7: 0.5})
        circle.add(addresses={7: 0.5}, log_odds=-1.0)

        assert circle.joining() == [JoinedAccount(row, 0, 0.5 + 0.5 * 3 / 4)]

    def test_adds_to_another(self, circle: Circle) -> None:
        circle.traits += [(member, TraitKind.ADDRESS, 8, 0.5) for member in circle.cores[0]]
        row = circle.add(addresses={7: 0.15, 8: 0.15})
        circle.add(addresses={7: 0.15})

        # Of the other users of the first address three of four are members, of the second all: 0.1125 and 0.15.
        assert circle.joining() == [JoinedAccount(row, 0, 0.7625)]

    @pytest.mark.parametrize(
        ("log_odds", "joins"),
        [(None, True), (0.5, True), (0.0, True), (-0.1, False)],
    )
    def test_lets_nobody_join_whose_own_content_speaks_against_it(
        self, circle: Circle, log_odds: float | None, *, joins: bool
    ) -> None:
        circle.add(addresses={7: 1.0}, log_odds=log_odds)

        assert bool(circle.joining()) is joins

    def test_lets_nobody_join_whom_a_licence_permits_it(self, circle: Circle) -> None:
        circle.add(addresses={7: 1.0}, licensed=True)

        assert circle.joining() == []


class TestACard:
    @pytest.mark.parametrize(
        ("members", "strangers", "belongs"),
        [
            pytest.param(1, 0, 0.5 + 0.9 * 0.4, id="one member, which counts two fifths"),
            pytest.param(2, 2, 0.5 + 0.9 * 2 / 4, id="half of its other users are members"),
            pytest.param(2, 5, 0.5 + 0.9 * 2 / 7, id="two of seven are"),
            pytest.param(2, 6, None, id="two of eight are"),
            pytest.param(1, 1, None, id="one of two is"),
        ],
    )
    def test_lets_an_account_join_whose_other_users_are_members(
        self, circle: Circle, members: int, strangers: int, belongs: float | None
    ) -> None:
        circle.core(*[{"card": 5}] * members, {})
        row = circle.add(card=5)
        for _ in range(strangers):
            circle.add(card=5, log_odds=-3.0)

        expected = [] if belongs is None else [JoinedAccount(row, 0, round(belongs, 6))]
        assert circle.joining() == expected

    def test_adds_to_an_address(self, circle: Circle) -> None:
        circle.core(*[{"card": 5, "addresses": {7: 1.0}}] * 2)
        row = circle.add(card=5, addresses={7: 0.1})
        for _ in range(5):
            circle.add(card=5, log_odds=-3.0)

        assert circle.joining() == [JoinedAccount(row, 0, round(0.5 + 0.1 + 0.9 * 2 / 7, 6))]

    def test_is_all_that_there_need_be(self, circle: Circle) -> None:
        """Nobody has an address that another has."""
        circle.core({"card": 5}, {"card": 5})
        row = circle.add(card=5)

        assert circle.joining() == [JoinedAccount(row, 0, 1.0)]


class TestSeveralCampaigns:
    def test_are_told_apart_for_each_account(self, circle: Circle) -> None:
        circle.core(*[{"card": 5}] * 3)
        circle.core(*[{"card": 6}] * 3)
        circle.core(*[{"card": 7}] * 3)
        rows = [circle.add(card=card) for card in (7, 5, 6, 5)]

        assert circle.joining() == [
            JoinedAccount(row, campaign, 1.0) for row, campaign in zip(rows, [2, 0, 1, 0], strict=True)
        ]

    def test_get_an_account_of_both_by_what_counts_more(self, circle: Circle) -> None:
        for address in (7, 8, 9):
            circle.core(*[{"addresses": {address: 1.0}}] * 3)
        first = circle.add(addresses={7: 0.5, 8: 0.3, 9: 0.2})
        last = circle.add(addresses={7: 0.2, 8: 0.3, 9: 0.5})

        # Of the four other users of each address three are members, the fourth is the other of the two.
        assert circle.joining() == [JoinedAccount(first, 0, 0.875), JoinedAccount(last, 2, 0.875)]

    def test_let_those_join_whom_only_the_joined_tie_to_them(self, circle: Circle) -> None:
        circle.core(*[{"card": 5}] * 3)
        circle.core(*[{"card": 6}] * 3)
        joined = circle.add(card=6, addresses={7: 1.0})
        behind = circle.add(addresses={7: 1.0, 8: 1.0})
        circle.add(addresses={8: 1.0})

        # One member alone at an address counts two fifths; a third round there is not.
        assert circle.joining() == [JoinedAccount(joined, 1, 1.0), JoinedAccount(behind, 1, 0.9)]
