"""Which accounts may act as one: how many there have to be, and who is left out of a group."""

from collections.abc import Iterable
from math import log, sqrt
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from governance.campaigns.groups import Basis, Candidates, cosines_to_others, find_groups
from governance.campaigns.population import MIN_POPULATION
from tests.campaigns.village import Village, meeting_slots

Found = list[tuple[Basis, list[int]]]


class Group(Village):
    """Accounts with wrappers of their own group."""

    def members(self, number: int, wrapper: int = 1, **given: Any) -> list[int]:
        """Add accounts whose every prompt opens in the same words."""
        return [self.add(wrappers={wrapper: 0.5}, **given) for _ in range(number)]

    def meeting(self, number: int, **given: Any) -> list[int]:
        """Add accounts that keep the same hours."""
        return [self.add(slots=meeting_slots(0, alone=0), **given) for _ in range(number)]

    def outlier(self, cosine: float, *, users: int, wrapper: int = 1, **given: Any) -> int:
        """Add an account whose wrappers have this cosine to the wrapper, which so many use, itself included.

        Its other wrappers are eight, each of which it has in common with one other account.
        """
        others = [1_000 * len(self.accounts) + own for own in range(8)]
        own_length = sqrt(8) * 0.05 * log(MIN_POPULATION / 2)
        share = own_length * cosine / sqrt(1 - cosine**2) / log(MIN_POPULATION / users)
        row = self.add(wrappers={wrapper: share, **dict.fromkeys(others, 0.05)}, **given)
        for other in others:
            self.add(wrappers={other: 0.5})
        return row

    def candidates(self) -> list[Candidates]:
        # In the midst of the others, so that few keep the same hours.
        for number in range(20):
            self.add(slots=meeting_slots(100 + number, often=0, alone=300), log_odds=None, is_product=True)
        return find_groups(self.population(others=0))

    def found(self) -> Found:
        return [(group.basis, group.rows.tolist()) for group in self.candidates()]


@pytest.fixture
def group() -> Group:
    return Group()


class TestAGroupByWrappers:
    @pytest.mark.parametrize(("number", "is_group"), [(3, False), (4, True)])
    def test_has_four_members(self, group: Group, number: int, *, is_group: bool) -> None:
        members = group.members(number)

        assert group.found() == ([(Basis.WRAPPERS, members)] if is_group else [])

    @pytest.mark.parametrize(("organisations", "is_group"), [([1, 1, 2, 2], False), ([1, 1, 2, 3], True)])
    def test_is_of_three_organisations(self, group: Group, organisations: list[int], *, is_group: bool) -> None:
        members = [group.members(1, organisation=one)[0] for one in organisations]

        assert group.found() == ([(Basis.WRAPPERS, members)] if is_group else [])

    @pytest.mark.parametrize(("with_text", "is_group"), [(2, False), (3, True)])
    def test_has_three_members_with_text(self, group: Group, with_text: int, *, is_group: bool) -> None:
        members = [*group.members(with_text), *group.members(2, log_odds=None)]

        assert group.found() == ([(Basis.WRAPPERS, members)] if is_group else [])

    @pytest.mark.parametrize(("number", "is_group"), [(3, False), (4, True)])
    def test_is_without_those_whom_a_licence_permits_it(self, group: Group, number: int, *, is_group: bool) -> None:
        members = group.members(number)
        group.members(2, licensed=True)

        assert group.found() == ([(Basis.WRAPPERS, members)] if is_group else [])

    def test_is_known_to_be_held_together_by_a_card(self, group: Group) -> None:
        for _ in range(4):
            group.members(1, card=7)
        tied = group.members(8, wrapper=2, card=8)

        assert [(one.hard_tied, len(one.rows)) for one in group.candidates()] == [(True, len(tied)), (True, 4)]

    def test_is_not_where_nothing_else_ties_it(self, group: Group) -> None:
        group.members(4)

        assert [one.hard_tied for one in group.candidates()] == [False]


class TestAGroupByHours:
    @pytest.mark.parametrize(("number", "is_group"), [(7, False), (8, True)])
    def test_has_eight_members(self, group: Group, number: int, *, is_group: bool) -> None:
        members = group.meeting(number)

        assert group.found() == ([(Basis.HOURS, members)] if is_group else [])

    @pytest.mark.parametrize(("number", "is_group"), [(7, False), (8, True)])
    def test_is_without_those_whom_wrappers_tie(self, group: Group, number: int, *, is_group: bool) -> None:
        tied = group.meeting(4, wrappers={1: 0.5})
        others = group.meeting(number)

        assert group.found() == [(Basis.WRAPPERS, tied), *([(Basis.HOURS, others)] if is_group else [])]

    def test_is_whole_whatever_the_wrappers_of_its_members(self, group: Group) -> None:
        members = group.meeting(8)

        [one] = group.candidates()

        assert (one.rows.tolist(), one.left_out.tolist()) == (members, [])


class TestGroups:
    def test_are_listed_by_wrappers_first_and_the_larger_first(self, group: Group) -> None:
        by_hours = group.meeting(12)
        small, large, smaller = (group.members(number, wrapper) for wrapper, number in ((1, 6), (2, 9), (3, 5)))

        assert group.found() == [
            (Basis.WRAPPERS, large),
            (Basis.WRAPPERS, small),
            (Basis.WRAPPERS, smaller),
            (Basis.HOURS, by_hours),
        ]


class TestWhoIsLeftOut:
    """An account that has the group's wrapper among others of its own."""

    @pytest.mark.parametrize(
        ("cosine", "texts", "belongs"),
        [
            pytest.param(0.655, 30, True, id="nearly two thirds alike"),
            pytest.param(0.645, 30, False, id="less"),
            pytest.param(0.655, 29, True, id="nearly two thirds, by few prompts"),
            pytest.param(0.455, 29, True, id="less than half, by few prompts"),
            pytest.param(0.445, 29, False, id="still less"),
            pytest.param(0.455, 30, False, id="less than half, by enough prompts"),
        ],
    )
    def test_is_less_alike_to_the_others_than_members_are(
        self, group: Group, cosine: float, texts: int, *, belongs: bool
    ) -> None:
        members = group.members(7)
        outlier = group.outlier(cosine, users=8, texts=texts)

        [one] = group.candidates()

        assert one.rows.tolist() == [*members, *([outlier] if belongs else [])]
        assert one.left_out.tolist() == ([] if belongs else [outlier])

    @pytest.mark.parametrize(("members", "is_left_out"), [(4, False), (5, True)])
    def test_is_nobody_of_a_group_of_five(self, group: Group, members: int, *, is_left_out: bool) -> None:
        group.members(members)
        outlier = group.outlier(0.6, users=members + 1)

        [one] = group.candidates()

        assert one.left_out.tolist() == ([outlier] if is_left_out else [])

    def test_is_nobody_whom_a_card_ties(self, group: Group) -> None:
        members = group.members(7, card=7)
        outlier = group.outlier(0.6, users=8, card=7)

        [one] = group.candidates()

        assert (one.rows.tolist(), one.left_out.tolist()) == ([*members, outlier], [])

    @pytest.mark.parametrize(
        ("members", "outliers", "is_group"),
        [pytest.param(4, 2, True, id="four belong"), pytest.param(3, 3, False, id="three belong")],
    )
    def test_leaves_no_group_of_less_than_four(
        self, group: Group, members: int, outliers: int, *, is_group: bool
    ) -> None:
        belong = group.members(members)
        left_out = [group.outlier(0.6, users=6) for _ in range(outliers)]

        assert lists(group.candidates()) == ([(belong, left_out)] if is_group else [])

    @pytest.mark.parametrize(("with_text", "is_group"), [(2, False), (3, True)])
    def test_leaves_no_group_of_less_than_three_with_text(
        self, group: Group, with_text: int, *, is_group: bool
    ) -> None:
        belong = [*group.members(with_text), *group.members(2, log_odds=None)]
        left_out = [group.outlier(0.6, users=with_text + 4) for _ in range(2)]

        assert lists(group.candidates()) == ([(belong, left_out)] if is_group else [])


class TestCosines:
    def test_are_those_to_the_sum_of_the_others(self) -> None:
        matrix = csr_array(np.array([[9.0, 9.0], [0.2, 0.0], [0.06, 0.08], [0.0, 0.3]]))

        cosines = cosines_to_others(matrix, np.array([1, 2, 3]))

        # To (0.06, 0.38), (0.2, 0.3) and (0.26, 0.08).
        assert cosines == pytest.approx(
            [0.06 / sqrt(0.06**2 + 0.38**2), 0.36 / sqrt(0.2**2 + 0.3**2), 0.08 / sqrt(0.26**2 + 0.08**2)]
        )

    @pytest.mark.parametrize("row", [[1.0, 0.0], [0.0, 0.0]])
    def test_are_nought_to_nobody(self, row: list[float]) -> None:
        assert cosines_to_others(csr_array(np.array([row])), np.array([0])).tolist() == [0.0]


def lists(groups: Iterable[Candidates]) -> list[tuple[list[int], list[int]]]:
    return [(group.rows.tolist(), group.left_out.tolist()) for group in groups]
