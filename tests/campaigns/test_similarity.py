"""Who is alike, and who is a group, at a bounded cost."""

from itertools import combinations

import numpy as np
import pytest
from scipy.sparse import csr_array

from governance.campaigns import similarity
from governance.campaigns.population import Numbers
from governance.campaigns.similarity import find_clusters, similar_pairs, symmetric

# Who a harvest of four thousand accounts on eight wrappers is, and who uses wrappers of their own.
HEADS, OTHERS, WRAPPERS = 4_000, 1_000, 8


def crowd() -> csr_array:
    dice = np.random.default_rng(1)
    used = np.zeros((HEADS + OTHERS, WRAPPERS + OTHERS // 4))
    used[:HEADS, :WRAPPERS] = dice.dirichlet(np.full(WRAPPERS, 8.0), HEADS)
    used[np.arange(HEADS, HEADS + OTHERS), WRAPPERS + np.arange(OTHERS) // 4] = 1.0
    return csr_array(used / np.linalg.norm(used, axis=1)[:, None])


def rows_of(*kinds: tuple[int, list[float]]) -> csr_array:
    """Return a matrix of so many rows of each kind."""
    return csr_array(np.concatenate([np.tile(row, (number, 1)) for number, row in kinds]))


def clusters(rows: csr_array, *, products: int = similarity.PRODUCTS, cut: float = 0.35) -> list[Numbers]:
    def similarities(first: Numbers, second: Numbers) -> Numbers:
        found: Numbers = (csr_array(rows[first]) @ csr_array(rows[second]).T).toarray()
        return found

    return [*find_clusters(similar_pairs(rows, least=0.35, products=products), similarities, least=0.35, cut=cut)]


class TestACrowd:
    def test_is_one_group_though_it_is_too_large_to_be_linked_at_once(self) -> None:
        found = sorted(clusters(crowd(), products=100_000), key=len)

        assert found[-1].tolist() == list(range(HEADS))
        assert {len(group) for group in found[:-1]} == {4}

    def test_is_compared_at_a_cost_that_grows_with_it_and_not_with_its_square(self) -> None:
        pairs = similar_pairs(crowd(), least=0.35, products=100_000)

        assert pairs.nnz <= 2 * similarity.NEIGHBOURS * WRAPPERS * HEADS + 4 * OTHERS

    def test_without_a_large_group_in_it_is_cut_into_its_small_ones(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(similarity, "LINKED_AT_ONCE", 6)
        rows = np.zeros((12, 7))
        for pair in range(6):  # each pair is alike, and a little like the next one
            rows[2 * pair : 2 * pair + 2, pair : pair + 2] = (1.0, 0.5)
        rows /= np.linalg.norm(rows, axis=1)[:, None]

        found = clusters(csr_array(rows))

        assert sorted(group.tolist() for group in found) == [[2 * pair, 2 * pair + 1] for pair in range(6)]

    def test_of_few_values_is_compared_in_full(self) -> None:
        rows = csr_array(np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]))

        assert similar_pairs(rows, least=0.5).toarray().round(2).tolist() == [[0, 0.8, 0], [0.8, 0, 0.6], [0, 0.6, 0]]


class TestPairs:
    def test_have_at_least_what_is_asked(self) -> None:
        rows = csr_array(np.array([[1.0, 0.0], [0.5, 0.0], [0.25, 0.0]]))

        pairs = similar_pairs(rows, least=0.25).toarray()

        assert pairs.tolist() == [[0, 0.5, 0.25], [0.5, 0, 0], [0.25, 0, 0]]

    @pytest.mark.parametrize("products", [20 * 20, 20 * 20 - 1])
    def test_are_the_same_where_some_are_found_by_neighbours(self, products: int) -> None:
        """Rows with little in common but a value that all have: each is as similar to another as that value says."""
        rows = rows_of((16, [0.5, 0.5]), (4, [0.5, 0.0]))

        pairs = similar_pairs(rows, least=0.3, products=products)

        expected = np.zeros((20, 20))
        expected[:16, :16] = 0.5
        np.fill_diagonal(expected, 0)
        assert pairs.toarray().tolist() == expected.tolist()


class TestTheCostOfPairs:
    """A value of forty rows costs 1,600 products: it is all that they have in common."""

    ROWS = 40

    def compared(self, products: int) -> set[tuple[int, int]]:
        """Return the pairs that were found where nothing else ties the rows."""
        pairs = similar_pairs(rows_of((self.ROWS, [0.0, 1.0])), least=0.5, products=products)
        return pairs_of(pairs)

    def test_is_paid_where_there_is_enough(self) -> None:
        assert len(self.compared(1_600)) == 40 * 39 / 2

    def test_is_else_that_of_sixteen_neighbours(self) -> None:
        assert self.compared(1_599) == {
            (first, second) for first in range(40) for second in range(first + 1, min(first + 17, 40))
        }

    def test_is_paid_for_the_rarest_values_first(self) -> None:
        """Of thirty rows by the first value, of twenty by the second."""
        rows = rows_of((30, [1.0, 0.0, 0.0]), (20, [0.0, 1.0, 0.0]), (10, [0.0, 0.0, 1.0]))

        pairs = pairs_of(similar_pairs(rows, least=0.5, products=20 * 20 + 10 * 10))

        assert {(30, 49), (50, 59)} <= pairs
        assert (0, 16) in pairs
        assert (0, 17) not in pairs

    def test_is_spent_on_neighbours_by_each_of_several_common_values(self) -> None:
        rows = rows_of((5, [1.0, 0.0, 0.0]), (5, [0.0, 1.0, 0.0]), (5, [0.0, 0.0, 1.0]))

        pairs = pairs_of(similar_pairs(rows, least=0.5, products=0))

        assert pairs == {pair for start in (0, 5, 10) for pair in combinations(range(start, start + 5), 2)}

    @pytest.mark.parametrize(("rare", "is_pair"), [(0.125, True), (0.0625, False)])
    def test_is_also_spent_on_pairs_by_a_rare_value_that_is_worth_it(self, rare: float, *, is_pair: bool) -> None:
        """Less than a tenth is not, though the whole of it, with the common value, would be enough."""
        rows = np.tile([0.75, 0.0], (40, 1))
        rows[[0, 39], 1] = np.sqrt(rare)

        pairs = pairs_of(similar_pairs(csr_array(rows), least=0.5, products=4))

        assert ((0, 39) in pairs) is is_pair

    def test_is_spent_on_rows_with_the_same_strongest_value_and_not_on_the_next_by_number(self) -> None:
        """All have the last value; every second row has more of the first, the others of the second."""
        rows = csr_array(np.array([[0.8, 0.0, 0.6], [0.0, 0.8, 0.6]] * 20))

        pairs = pairs_of(similar_pairs(rows, least=0.3, products=0))

        assert {(0, 2), (0, 32), (1, 33)} <= pairs
        assert (0, 1) not in pairs
        # The last of those with the first value are beside the first of the others.
        assert (1, 38) in pairs


class TestGroups:
    """Two pairs, whose rows are the same, by how alike rows of one and of the other are."""

    @staticmethod
    def groups(across: list[list[float]], *, cut: float) -> list[list[int]]:
        alike = np.ones((2, 2))
        known = np.block([[alike, np.array(across)], [np.array(across).T, alike]])
        first, second = np.triu_indices(4, 1)
        pairs = symmetric(first, second, known[first, second], size=4, least=0.35)
        found = find_clusters(pairs, lambda some, others: known[np.ix_(some, others)], least=0.35, cut=cut)
        return sorted(group.tolist() for group in found)

    @pytest.mark.parametrize(
        ("across", "are_one"),
        [
            pytest.param([[0.5, 0.5], [0.5, 0.5]], True, id="all as much as is asked"),
            pytest.param([[0.45, 0.45], [0.45, 0.45]], False, id="all less"),
            pytest.param([[0.95, 0.0], [0.0, 0.0]], False, id="one of four"),
            pytest.param([[0.95, 0.35], [0.35, 0.4]], True, id="with what just counts"),
            pytest.param([[0.95, 0.34], [0.34, 0.4]], False, id="what is less than counts is nothing"),
        ],
    )
    def test_are_one_where_rows_are_alike_on_average(self, across: list[list[float]], *, are_one: bool) -> None:
        assert self.groups(across, cut=0.5) == ([[0, 1, 2, 3]] if are_one else [[0, 1], [2, 3]])

    def test_have_two_rows_at_least(self) -> None:
        """The third is like nobody, and the fourth not enough."""
        assert [group.tolist() for group in clusters(rows_of((2, [1, 0]), (1, [0, 1]), (1, [0.4, 0])), cut=0.5)] == [
            [0, 1]
        ]

    @pytest.mark.parametrize("between", [[0.0, 0.0], [0.36, 0.36]])
    def test_keep_their_rows_in_order(self, between: list[float]) -> None:
        """Of two hundred every second is like every second, whether or not a row between holds them together."""
        rows = csr_array(np.concatenate([np.tile(np.eye(2), (100, 1)), [between]]))

        found = sorted(group.tolist() for group in clusters(rows))

        assert [group[:100] for group in found] == [[*range(0, 200, 2)], [*range(1, 200, 2)]]

    def test_are_looked_for_in_full_among_1_500_rows(self) -> None:
        [group] = clusters(rows_of((1_500, [0.625])))

        assert len(group) == 1_500


class TestACrowdTooLargeToBeLinkedAtOnce:
    def test_lets_those_join_a_large_group_who_are_like_it_on_average(self) -> None:
        """Two groups, of 1,500 and of a hundred, and rows between them that hold all together."""
        crowd, hundred = (1_500, [0.75, 0.0]), (100, [0.0, 1.0])
        first, second = [0.5, 0.25], [0.48, 0.375]  # 0.375 like the crowd, and like the hundred
        neither = [0.48, 0.36]  # 0.36 like either

        found = clusters(rows_of(crowd, hundred, (1, first), (1, second), (1, neither)), cut=0.375)

        assert sorted(group.tolist() for group in found) == [[*range(1_500), 1_600], [*range(1_500, 1_600), 1_601]]

    def test_lets_nobody_join_a_smaller_one(self) -> None:
        found = clusters(rows_of((1_600, [1.0, 0.0]), (99, [0.0, 1.0]), (1, [0.36, 0.4])), cut=0.375)

        assert sorted(map(len, found)) == [99, 1_600]

    def test_is_parted_where_similarities_are_less_than_a_half(self) -> None:
        """Eight hundred pairs that are half alike, and a row that is a little like each of them."""
        pairs = np.repeat(np.eye(800), 2, axis=0)
        pairs[1::2] *= 0.5
        rows = csr_array(np.concatenate([pairs, np.full((1, 800), 0.4)]))

        found = clusters(rows, cut=0.5)

        assert sorted(group.tolist() for group in found) == [[row, row + 1] for row in range(0, 1_600, 2)]


def pairs_of(pairs: csr_array) -> set[tuple[int, int]]:
    first, second = pairs.nonzero()
    return {(int(one), int(other)) for one, other in zip(first, second, strict=True) if one < other}
