"""Find the accounts that belong to a campaign though no group has them: by its addresses, its cards, its hours. Pure.

So accounts without text are found, and those that have hardly begun. An account with text joins only if its own content
does not speak against it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from governance.campaigns.groups import Basis
from governance.campaigns.population import SLOTS_A_DAY, Numbers, Population

ROUNDS: Final = 2
# Evidence from which an account joins.
LEAST_EVIDENCE: Final = 0.25
# What a card in common is worth, and what one member alone at an address or on a card is worth of that.
CARD: Final = 0.9
ONE_MEMBER: Final = 0.4
# An account joins a campaign by its hours if its share of slots in the campaign's is at least this share of the core's
# median, and this many times chance, with so many slots, on so many days.
LEAST_OF_CORE: Final = 0.5
LEAST_TIMES_CHANCE: Final = 3.5
LEAST_SLOTS: Final = 4
LEAST_DAYS: Final = 2
BY_HOURS: Final = 0.5
# How surely an account belongs that joined with no evidence at all; evidence adds to it.
JOINED: Final = 0.5


class JoinedAccount(NamedTuple):
    """An account, by row, that belongs to the campaign at this place, and how surely, from 0 to 1."""

    row: int
    campaign: int
    belongs: float


def find_joining(population: Population, cores: Sequence[Numbers], bases: Sequence[Basis]) -> list[JoinedAccount]:
    """Return who joins these campaigns, given by the rows of their cores."""
    of = np.full(len(population), -1)
    for place, rows in enumerate(cores):
        of[rows] = place
    found: dict[int, JoinedAccount] = {}
    for _ in range(ROUNDS):
        may = (of < 0) & ~population.barred & ~(population.log_odds < 0)
        evidence: dict[int, tuple[float, int]] = {}
        for place, basis in enumerate(bases):
            if basis is Basis.HOURS:
                joining = _by_hours(population, np.flatnonzero(of == place), may)
                evidence |= dict.fromkeys(joining, (BY_HOURS, place))
        for row, best in _by_hard_ties(population, of, len(cores), may).items():
            evidence[row] = max(evidence.get(row, best), best)
        for row, (value, place) in evidence.items():
            found[row] = JoinedAccount(row, place, min(1.0, JOINED + value))
            of[row] = place
    return list(found.values())


def _by_hard_ties(population: Population, of: Numbers, campaigns: int, may: Numbers) -> Mapping[int, tuple[float, int]]:
    """Return evidence and campaign of each row that may join by its addresses and cards.

    Each is worth the share of its other users who are members, an address also the share of requests from there.
    """
    belongs = np.flatnonzero(of >= 0)
    if not len(belongs):
        return {}
    member = csr_array((np.ones(len(belongs)), (belongs, of[belongs])), shape=(len(population), campaigns))
    total = csr_array((len(population), campaigns))
    for values, worth in ((population.addresses, 1.0), (population.cards, CARD)):
        if not values.shape[1]:
            continue
        users = np.asarray(values.count_nonzero(axis=0))
        members = csr_array(values.sign().T @ member)
        members.data = members.data * np.where(members.data == 1, ONE_MEMBER, 1.0)
        total = total + worth * values @ csr_array(members.multiply(1 / np.maximum(users - 1, 1)[:, None]))
    total = csr_array(total)
    return {row: best for row, best in _best(total) if may[row] and best[0] >= LEAST_EVIDENCE}


def _best(evidence: csr_array) -> Iterator[tuple[int, tuple[float, int]]]:
    for row in np.flatnonzero(np.diff(evidence.indptr)):
        within = slice(evidence.indptr[row], evidence.indptr[row + 1])
        place = int(evidence.data[within].argmax())
        yield int(row), (float(evidence.data[within][place]), int(evidence.indices[within][place]))


def _by_hours(population: Population, core: Numbers, may: Numbers) -> list[int]:
    """Return the rows that keep the hours of this core, on several days.

    Those without text do not join where tools or a schema for the answers say that they are a product.
    """
    slots = population.slots
    number = np.asarray(slots.sum(axis=1)).ravel()
    popularity = np.asarray(slots.sum(axis=0)).ravel()
    held = np.asarray(csr_array(slots[core]).sum(axis=0)).ravel() / len(core)
    within = (slots @ held) / np.maximum(number, 1)
    usual = float((popularity / popularity.sum() * held).sum())
    may = may & ~population.is_silent_product & (number >= LEAST_SLOTS)
    rows = np.flatnonzero(
        may & (within >= LEAST_OF_CORE * np.median(within[core])) & (within >= LEAST_TIMES_CHANCE * usual)
    )
    busy = held >= max(2 / len(core), 2 * popularity.mean() / len(population))
    days = np.arange(slots.shape[1]) // SLOTS_A_DAY
    return [
        row for row in rows.tolist() if len(set(days[_columns(slots, row)][busy[_columns(slots, row)]])) >= LEAST_DAYS
    ]


def _columns(matrix: csr_array, row: int) -> Numbers:
    columns: Numbers = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
    return columns
