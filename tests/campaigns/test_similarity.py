import numpy as np
import pytest
from scipy.sparse import csr_array

from governance.campaigns import similarity
from governance.campaigns.population import Numbers
from governance.campaigns.similarity import find_clusters, similar_pairs

# Who a harvest of four thousand accounts on eight wrappers is, and who uses wrappers of their own.
HEADS, OTHERS, WRAPPERS = 4_000, 1_000, 8


def crowd() -> csr_array:
    dice = np.random.default_rng(1)
    used = np.zeros((HEADS + OTHERS, WRAPPERS + OTHERS // 4))
    used[:HEADS, :WRAPPERS] = dice.dirichlet(np.full(WRAPPERS, 8.0), HEADS)
    used[np.arange(HEADS, HEADS + OTHERS), WRAPPERS + np.arange(OTHERS) // 4] = 1.0
    return csr_array(used / np.linalg.norm(used, axis=1)[:, None])


def clusters(rows: csr_array, *, products: int = similarity.PRODUCTS) -> list[Numbers]:
    def similarities(first: Numbers, second: Numbers) -> Numbers:
        found: Numbers = (csr_array(rows[first]) @ csr_array(rows[second]).T).toarray()
        return found

    return [*find_clusters(similar_pairs(rows, least=0.35, products=products), similarities, least=0.35, cut=0.35)]


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
