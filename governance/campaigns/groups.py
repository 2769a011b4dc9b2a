"""Find groups of accounts that may act as one. Pure.

1. Accounts whose prompts open and close in the same rare words, in the same proportions (`similarity`). Prompts by
   people repeat no opening, so cover traffic drops out by itself.
2. Members who share addresses or cards are split off those who only use the same public tool (`hard_ties`).
3. Members whose wrappers are not the group's after all are left out, and shown with the reason.
4. Accounts that keep meeting in the same ten minutes (`hours`), if they are in no group by wrappers.

Whether a group harvests is for `verdict` to say; a card or an address alone makes no group.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from governance.campaigns.hard_ties import split_by_hard_ties
from governance.campaigns.hours import find_synchronous_groups
from governance.campaigns.population import Numbers, Population
from governance.campaigns.similarity import find_clusters, similar_pairs

# The least similarity of two accounts' wrappers that counts, and the least mean similarity of a group's halves.
LEAST_SIMILARITY: Final = 0.35
FEWEST_MEMBERS: Final = 4
FEWEST_SYNCHRONOUS: Final = 8
FEWEST_WITH_TEXT: Final = 3
FEWEST_ORGANISATIONS: Final = 3

# From this size on members are left out whose cosine to the sum of the others is below this; with few prompts the
# proportions are uncertain, so less is asked of them.
TRIMMED_FROM: Final = 6
LEAST_COSINE: Final = 0.65
FEW_PROMPTS: Final = 30
LEAST_COSINE_OF_FEW: Final = 0.45


class Basis(StrEnum):
    """What a group was found by."""

    WRAPPERS = "wrappers"
    HOURS = "hours"


@dataclass(frozen=True)
class Candidates:
    """A group of accounts by row; `left_out` were in it but have its wrappers in other proportions."""

    basis: Basis
    rows: Numbers
    hard_tied: bool = False
    left_out: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def find_groups(population: Population) -> list[Candidates]:
    """Return the groups, each account in one at most; those by wrappers first, and the larger first."""
    found: list[Candidates] = []
    taken = population.barred.copy()
    for basis, groups in ((Basis.WRAPPERS, _by_wrappers(population)), (Basis.HOURS, _by_hours(population))):
        for rows, is_tied in sorted(groups, key=lambda group: -len(group[0])):
            group = _settle(population, basis, rows[~taken[rows]], hard_tied=is_tied)
            if group is not None:
                taken[group.rows] = True
                found.append(group)
    return found


def _by_wrappers(population: Population) -> Iterator[tuple[Numbers, bool]]:
    wrappers = population.wrappers
    if not wrappers.shape[1]:
        return

    def similarities(first: Numbers, second: Numbers) -> Numbers:
        products: Numbers = (csr_array(wrappers[first]) @ csr_array(wrappers[second]).T).toarray()
        return products

    pairs = similar_pairs(wrappers, least=LEAST_SIMILARITY)
    for rows in find_clusters(pairs, similarities, least=LEAST_SIMILARITY, cut=LEAST_SIMILARITY):
        if len(rows) >= FEWEST_MEMBERS:
            yield from split_by_hard_ties(population.hard, rows)


def _by_hours(population: Population) -> Iterator[tuple[Numbers, bool]]:
    for rows in find_synchronous_groups(population, least_members=FEWEST_SYNCHRONOUS):
        yield from split_by_hard_ties(population.hard, rows)


def _settle(population: Population, basis: Basis, rows: Numbers, *, hard_tied: bool) -> Candidates | None:
    """Return the group without those who do not belong; None if it is too small or of too few customers."""
    if not _is_large_enough(population, basis, rows):
        return None
    if basis is Basis.HOURS or hard_tied or len(rows) < TRIMMED_FROM:
        return Candidates(basis, rows, hard_tied)
    cosine = cosines_to_others(population.wrappers, rows)
    few = population.texts[rows] < FEW_PROMPTS
    fits = (cosine >= LEAST_COSINE) | (few & (cosine >= LEAST_COSINE_OF_FEW))
    if fits.sum() < FEWEST_MEMBERS or population.has_text[rows[fits]].sum() < FEWEST_WITH_TEXT:
        return None
    return Candidates(basis, rows[fits], left_out=rows[~fits])


def _is_large_enough(population: Population, basis: Basis, rows: Numbers) -> bool:
    return bool(
        len(rows) >= (FEWEST_SYNCHRONOUS if basis is Basis.HOURS else FEWEST_MEMBERS)
        and len(np.unique(population.organisations[rows])) >= FEWEST_ORGANISATIONS
        and population.has_text[rows].sum() >= FEWEST_WITH_TEXT
    )


def cosines_to_others(matrix: csr_array, rows: Numbers) -> Numbers:
    """Return the cosine of each of these rows of the matrix to the sum of the others."""
    among = csr_array(matrix[rows])
    total = np.asarray(among.sum(axis=0)).ravel()
    squares = np.asarray(among.multiply(among).sum(axis=1)).ravel()
    product = among @ total - squares
    lengths = np.sqrt(squares * np.maximum(total @ total - 2 * product - squares, 0))
    cosines: Numbers = product / np.maximum(lengths, 1e-9)
    return cosines
