"""The tree of the log and its proofs, compared with the RFC and with an implementation by others. Pure."""

import random
from functools import partial

import pytest
from pymerkle import InmemoryTree

from governance.audit.merkle import consistency_proof, inclusion_proof, is_consistent, is_included, range_head
from governance.audit.stillwatch_verify import NOTHING, TileTree, leaf_hash, node_hash, tree_head

MOST = 700
LEAVES = [f"entry {number}".encode() for number in range(MOST)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
# As certificate-transparency-go and the RFC's authors test their trees.
KNOWN_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
KNOWN_HEADS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def node(height: int, index: int, hashes: list[bytes] = HASHES) -> bytes:
    """The hash of a complete subtree."""
    return tree_head(hashes[index << height : (index + 1) << height])


def heads() -> list[bytes]:
    """The head of the tree of each size, as it grows."""
    tree = TileTree()
    found = [tree.head()]
    for hashed in HASHES:
        tree.append(hashed)
        found.append(tree.head())
    return found


HEADS = heads()


class TestAHead:
    def test_is_that_of_known_trees(self) -> None:
        hashes = [leaf_hash(bytes.fromhex(leaf)) for leaf in KNOWN_LEAVES]

        assert [tree_head(hashes[:size]).hex() for size in range(1, 9)] == KNOWN_HEADS
        assert tree_head([]) == NOTHING

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")
    def test_is_that_of_another_implementation_for_every_size(self) -> None:
        other = InmemoryTree(algorithm="sha256")
        for size, leaf in enumerate(LEAVES, start=1):
            other.append_entry(leaf)

            assert other.get_root(size) == HEADS[size] == range_head(0, size, node)


class TestAProofOfInclusion:
    def test_is_the_one_of_the_rfc(self) -> None:
        """RFC 6962, section 2.1.3: the tree of seven entries a to j."""
        tree = dict(zip("abcdefj", HASHES, strict=False))
        g, h, i = (node_hash(tree[left], tree[right]) for left, right in ("ab", "cd", "ef"))
        k = node_hash(g, h)
        proof = partial(inclusion_proof, size=7, node=node)

        assert proof(0) == [tree["b"], h, node_hash(i, tree["j"])]
        assert proof(3) == [tree["c"], g, node_hash(i, tree["j"])]
        assert proof(4) == [tree["f"], tree["j"], k]
        assert proof(6) == [i, k]

    def test_is_that_of_another_implementation(self) -> None:
        other = InmemoryTree(algorithm="sha256")
        for leaf in LEAVES[:300]:
            other.append_entry(leaf)

        for size in (1, 2, 7, 255, 256, 257, 300):
            for index in range(0, size, 3):
                path = other.prove_inclusion(index + 1, size).path
                assert path == [HASHES[index], *inclusion_proof(index, size, node)]

    @pytest.mark.parametrize("seed", range(20))
    def test_verifies_for_its_entry_place_and_tree_alone(self, seed: int) -> None:
        chance = random.Random(seed)
        size = chance.randint(2, MOST)
        index = chance.randrange(size)
        proof = inclusion_proof(index, size, node)

        assert is_included(HASHES[index], index, size, proof, HEADS[size])
        assert not is_included(HASHES[(index + 1) % size], index, size, proof, HEADS[size])
        assert not is_included(HASHES[index], index, size, proof, HEADS[size - 1])
        assert not is_included(HASHES[index], index, size, proof[:-1], HEADS[size])
        assert not is_included(HASHES[index], index, size, [*proof, NOTHING], HEADS[size])
        assert not is_included(HASHES[index], size, size, proof, HEADS[size])

    @pytest.mark.parametrize("size", range(1, 18))
    def test_of_every_entry_of_a_small_tree_holds_for_that_entry_alone(self, size: int) -> None:
        for index in range(size):
            proof = inclusion_proof(index, size, node)

            fitting = [at for at in range(-1, size + 1) if is_included(HASHES[index], at, size, proof, HEADS[size])]
            assert fitting == [index]

    def test_is_refused_for_an_entry_that_is_not_there(self) -> None:
        with pytest.raises(ValueError, match="A tree of 5 entries has none with index 5"):
            inclusion_proof(5, 5, node)


class TestAProofOfConsistency:
    def test_is_the_one_of_the_rfc(self) -> None:
        """RFC 6962, section 2.1.3."""
        a, b, c, d, e, f, j = HASHES[:7]
        g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
        k, last = node_hash(g, h), node_hash(i, j)

        assert consistency_proof(3, 7, node) == [c, d, g, last]
        assert consistency_proof(4, 7, node) == [last]
        assert consistency_proof(6, 7, node) == [i, j, k]

    @pytest.mark.parametrize("seed", range(40))
    def test_verifies_for_its_trees_alone(self, seed: int) -> None:
        chance = random.Random(seed)
        new = chance.randint(2, MOST)
        old = chance.randint(1, new - 1)
        proof = consistency_proof(old, new, node)
        place = chance.randrange(len(proof))
        forged = [*proof[:place], NOTHING, *proof[place + 1 :]]

        assert is_consistent(old, new, HEADS[old], HEADS[new], proof)
        assert not is_consistent(old, new, HEADS[old - 1], HEADS[new], proof)
        assert not is_consistent(old, new, HEADS[old], HEADS[new - 1], proof)
        assert not is_consistent(old, new, HEADS[old], HEADS[new], forged)
        assert not is_consistent(old, new, HEADS[old], HEADS[new], proof[:-1])
        assert not is_consistent(old, new, HEADS[old], HEADS[new], [*proof, NOTHING])

    @pytest.mark.parametrize("new", range(1, 18))
    def test_between_small_trees_holds_for_these_alone(self, new: int) -> None:
        for old in range(1, new):
            proof = consistency_proof(old, new, node)

            fitting = [size for size in range(1, new) if is_consistent(size, new, HEADS[size], HEADS[new], proof)]
            assert fitting == [old]
            assert not is_consistent(old, new, HEADS[old], HEADS[new], [])

    def test_is_empty_from_nothing_and_to_the_same_tree(self) -> None:
        assert consistency_proof(0, 9, node) == consistency_proof(9, 9, node) == []
        assert is_consistent(0, 9, NOTHING, HEADS[9], [])
        assert is_consistent(9, 9, HEADS[9], HEADS[9], [])
        assert not is_consistent(9, 9, HEADS[8], HEADS[9], [])

    def test_is_refused_backwards(self) -> None:
        with pytest.raises(ValueError, match="A tree of 4 entries does not begin with one of 5"):
            consistency_proof(5, 4, node)
        assert not is_consistent(5, 4, HEADS[5], HEADS[4], [])
