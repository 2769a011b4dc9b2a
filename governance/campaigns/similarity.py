"""Find accounts that are alike, and groups of them, without comparing every pair. Pure.

Accounts are rows of a sparse matrix, two are as similar as the product of their rows says. Pairs are found by a sparse
product, which touches those alone that have a value in common. Groups are the connected components of these pairs, cut
by average linkage (Sokal and Michener 1958).

Work is bounded. A value of `u` accounts costs `u`² products: once those of the rarest values have used up
`PRODUCTS`, accounts with a commoner value are compared with their `NEIGHBOURS` in an order that puts accounts with the
same rarest values side by side. A component of more than `LINKED_AT_ONCE` accounts is first cut by higher thresholds
(`LIMITS`), and what is still larger is grouped by a sample; large groups then take in who is left over and like them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from governance.campaigns.population import Numbers

PRODUCTS: Final = 50_000_000
NEIGHBOURS: Final = 16
LINKED_AT_ONCE: Final = 1_500
LIMITS: Final = (0.5, 0.65)
# Groups of this many take in what the limits and the sample have left over.
TAKES_IN_FROM: Final = 100
ROWS_AT_ONCE: Final = 1_024

# A part of the product that is found by its rarer values alone is computed in full from this on.
WORTH_COMPUTING: Final = 0.1

# Similarities of two sets of rows, as an array of shape (len(first), len(second)).
Similarities: TypeAlias = Callable[[Numbers, Numbers], Numbers]


def similar_pairs(matrix: csr_array, *, least: float, products: int = PRODUCTS) -> csr_array:
    """Return the similarities of at least `least` of all pairs of rows, symmetric, with an empty diagonal.

    >>> rows = csr_array(np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]))
    >>> similar_pairs(rows, least=0.7).toarray()
    array([[0. , 0.8, 0. ],
           [0.8, 0. , 0. ],
           [0. , 0. , 0. ]])
    """
    users = np.asarray(matrix.count_nonzero(axis=0))
    order = np.argsort(users, kind="stable")
    is_rare = np.zeros(len(users), dtype=bool)
    is_rare[order] = np.cumsum(users[order] ** 2) <= products
    all_rare = bool(is_rare.all())
    rare = csr_array(matrix[:, np.flatnonzero(is_rare)])
    first, second, value = _products(rare, least=least if all_rare else WORTH_COMPUTING)
    if not all_rare:
        more = _neighbours(matrix, np.flatnonzero(~is_rare))
        size = matrix.shape[0]
        first, second = np.divmod(np.unique(np.concatenate([first * size + second, more[0] * size + more[1]])), size)
        value = _row_products(matrix, first, second)
    return symmetric(first, second, value, size=matrix.shape[0], least=least)


def symmetric(first: Numbers, second: Numbers, value: Numbers, *, size: int, least: float) -> csr_array:
    """Return pairs of at least `least` as a symmetric matrix of shape (size, size)."""
    kept = value >= least
    first, second, value = first[kept], second[kept], value[kept]
    both = np.concatenate([first, second]), np.concatenate([second, first])
    return csr_array(coo_array((np.concatenate([value, value]), both), shape=(size, size)))


def find_clusters(similar: csr_array, similarities: Similarities, *, least: float, cut: float) -> Iterator[Numbers]:
    """Yield the rows of each group, in order, of at least two.

    Args:
        similar: the pairs that count, as from `similar_pairs`.
        similarities: of any rows, to compute in full what `similar` may lack; below `least` they count as 0.
        cut: two groups are one while the mean similarity between them is at least this.
    """
    for part in _components(similar, np.arange(similar.shape[0])):
        if len(part) <= LINKED_AT_ONCE:
            yield from _average_linkage(part, similarities, least=least, cut=cut)
        else:
            yield from _cut(part, similar, similarities, least=least, cut=cut)


def _cut(
    part: Numbers, similar: csr_array, similarities: Similarities, *, least: float, cut: float
) -> Iterator[Numbers]:
    """Yield the groups of a part that is too large to be linked at once."""
    pieces = [part]
    for limit in LIMITS:
        pieces = [smaller for piece in pieces for smaller in _pieces(piece, similar, limit=limit)]
    groups = [
        group
        for piece in pieces
        for group in _average_linkage(_evenly(piece, LINKED_AT_ONCE), similarities, least=least, cut=cut)
    ]
    large = [group for group in groups if len(group) >= TAKES_IN_FROM]
    yield from (group for group in groups if len(group) < TAKES_IN_FROM)
    if large:
        others = np.setdiff1d(part, np.concatenate(groups))
        yield from _with_others(large, others, similarities, cut=cut)


def _pieces(part: Numbers, similar: csr_array, *, limit: float) -> Iterator[Numbers]:
    """Yield what is left of a part without similarities below `limit`, or the part itself if it is small."""
    if len(part) <= LINKED_AT_ONCE:
        yield part
        return
    within = coo_array(csr_array(similar[part][:, part]))
    kept = within.data >= limit
    places = within.coords[0][kept], within.coords[1][kept]
    yield from _components(csr_array(coo_array((within.data[kept], places), shape=within.shape)), part)


def _evenly(rows: Numbers, most: int) -> Numbers:
    """Return at most so many of these rows, evenly spaced."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(int)]


def _with_others(
    groups: Sequence[Numbers], others: Numbers, similarities: Similarities, *, cut: float
) -> Iterator[Numbers]:
    """Yield groups with the others that are similar enough on average to a sample of one of them."""
    samples = [_evenly(group, TAKES_IN_FROM) for group in groups]
    starts = np.arange(len(groups)) * TAKES_IN_FROM
    members = np.concatenate(samples)
    best, highest = np.zeros(len(others), dtype=np.int64), np.zeros(len(others))
    for start in range(0, len(others), ROWS_AT_ONCE):
        some = slice(start, start + ROWS_AT_ONCE)
        mean = np.add.reduceat(similarities(others[some], members), starts, axis=1) / TAKES_IN_FROM
        best[some], highest[some] = mean.argmax(axis=1), mean.max(axis=1)
    for place, group in enumerate(groups):
        yield np.sort(np.concatenate([group, others[(best == place) & (highest >= cut)]]))


def _average_linkage(part: Numbers, similarities: Similarities, *, least: float, cut: float) -> Iterator[Numbers]:
    """Yield the groups of a part of at least two."""
    distance = similarities(part, part)
    distance = 1 - np.where(distance >= least, np.minimum(distance, 1), 0)
    distance = (distance + distance.T) / 2
    labels = fcluster(linkage(squareform(distance, checks=False), "average"), 1 - cut, "distance")
    order = np.argsort(labels, kind="stable")
    for group in np.split(part[order], np.flatnonzero(np.diff(labels[order])) + 1):
        if len(group) > 1:
            yield group


def _components(similar: csr_array, rows: Numbers) -> Iterator[Numbers]:
    """Yield the rows of each connected component of at least two."""
    _, labels = connected_components(similar, directed=False)
    order = np.argsort(labels, kind="stable")
    for part in np.split(rows[order], np.flatnonzero(np.diff(labels[order])) + 1):
        if len(part) > 1:
            yield part


def _products(matrix: csr_array, *, least: float) -> tuple[Numbers, Numbers, Numbers]:
    """Return the pairs of rows whose product is at least `least`: the lower rows, the higher rows, the products."""
    found: list[tuple[Numbers, Numbers, Numbers]] = []
    turned = csr_array(matrix.T)
    for start in range(0, matrix.shape[0], ROWS_AT_ONCE):
        block = coo_array(csr_array(matrix[start : start + ROWS_AT_ONCE]) @ turned)
        first, second = block.coords[0] + start, block.coords[1]
        kept = (block.data >= least) & (first < second)
        found.append((first[kept], second[kept], block.data[kept]))
    first, second, value = (np.concatenate(column) for column in zip(*found, strict=True))
    return first.astype(np.int64), second.astype(np.int64), value


def _neighbours(matrix: csr_array, common: Numbers) -> Numbers:
    """Return pairs of rows that have one of these columns in common and are near each other, of shape (2, n)."""
    strongest = np.zeros(matrix.shape[0], dtype=np.int64)
    peak = np.asarray(matrix.max(axis=1).todense()).ravel()
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    at_peak = matrix.data == peak[row]
    strongest[row[at_peak]] = matrix.indices[at_peak]
    by_column = matrix.tocsc()
    pairs = []
    for column in common:
        users = by_column.indices[by_column.indptr[column] : by_column.indptr[column + 1]]
        users = users[np.lexsort((users, strongest[users]))]
        pairs += [np.sort(np.stack([users[:-step], users[step:]]), axis=0) for step in range(1, NEIGHBOURS + 1)]
    return np.concatenate(pairs, axis=1).astype(np.int64)


def _row_products(matrix: csr_array, first: Numbers, second: Numbers) -> Numbers:
    value = np.zeros(len(first))
    for start in range(0, len(first), 1_000_000):
        some = slice(start, start + 1_000_000)
        value[some] = csr_array(matrix[first[some]]).multiply(matrix[second[some]]).sum(axis=1)
    return value
