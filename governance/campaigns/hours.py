"""Find accounts that are active in the same ten minutes again and again. Pure.

Compares the slots that two accounts have in common with what chance would give them: `n`₁ `n`₂ Σ `q`², where `q` is the
share of all activity that falls into a slot. After SynchroTrap (Cao and others 2014,
https://doi.org/10.1145/2660267.2660269), which compares sets of actions by time in the same way.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from scipy.sparse import coo_array, csr_array

from governance.campaigns.population import SLOTS_A_DAY, Numbers, Population
from governance.campaigns.similarity import find_clusters, symmetric

# Accounts with fewer slots could be together by chance, those with more are active all the time.
FEWEST_SLOTS: Final = 6
MOST_SLOTS: Final = 300
# What two accounts must have in common: slots, times chance, standard deviations above chance.
LEAST_COMMON: Final = 5
LEAST_RATIO: Final = 4.0
LEAST_Z: Final = 6.0
# Together this many times as often as by chance is full similarity.
FULL_RATIO: Final = 12.0
CUT: Final = 0.2
# Of a group's coincidences one day may hold at most this share: a workshop's participants meet once.
MOST_ON_ONE_DAY: Final = 0.7

PRODUCTS: Final = 100_000_000
ROWS_AT_ONCE: Final = 512


def find_synchronous_groups(
    population: Population, *, least_members: int, products: int = PRODUCTS
) -> Iterator[Numbers]:
    """Yield groups of rows of accounts that keep meeting in the same slots, on several days.

    Args:
        least_members: the fewest members of a group.
        products: the most that the comparison may take; a slot of `u` accounts takes `u`².
    """
    slots = population.slots
    known = np.asarray(slots.count_nonzero(axis=1))
    may = (known >= FEWEST_SLOTS) & (known <= MOST_SLOTS) & ~population.is_silent_product
    candidates = _affordable(population, np.flatnonzero(may), products=products)
    if len(candidates) < least_members:
        return
    chance = population.chance
    among = csr_array(slots[candidates])
    similar = _pairs(among, known[candidates], chance)
    number = known[candidates]

    def similarities(first: Numbers, second: Numbers) -> Numbers:
        common = (csr_array(among[first]) @ csr_array(among[second]).T).toarray()
        return _similarity(common, np.outer(number[first], number[second]) * chance)

    for group in find_clusters(similar, similarities, least=LEAST_RATIO / FULL_RATIO, cut=CUT):
        rows = candidates[group]
        if len(rows) >= least_members and _on_several_days(slots, rows):
            yield rows


def times_chance(population: Population, rows: Numbers) -> float:
    """Return how many times as often as by chance two of these accounts are active in the same slot, on average."""
    among = csr_array(population.slots[rows])
    number = np.asarray(among.sum(axis=1)).ravel()
    in_slot = np.asarray(among.sum(axis=0)).ravel()
    observed = (in_slot * (in_slot - 1)).sum()
    expected = (number.sum() ** 2 - (number**2).sum()) * population.chance
    return float(observed / expected) if expected else 0.0


def days_together(slots: csr_array, rows: Numbers) -> int:
    """Return the number of days that hold at least a tenth of the coincidences of these accounts."""
    share = _share_of_days(slots, rows)
    return int((share >= 0.1).sum())


def _on_several_days(slots: csr_array, rows: Numbers) -> bool:
    return bool(_share_of_days(slots, rows).max() <= MOST_ON_ONE_DAY)


def _share_of_days(slots: csr_array, rows: Numbers) -> Numbers:
    """Return which share of the coincidences of these accounts each day holds."""
    in_slot = np.asarray(csr_array(slots[rows]).sum(axis=0)).ravel()
    by_day = np.bincount(np.arange(len(in_slot)) // SLOTS_A_DAY, weights=in_slot * (in_slot - 1))
    shares: Numbers = by_day / max(by_day.sum(), 1.0)
    return shares


def _affordable(population: Population, rows: Numbers, *, products: int) -> Numbers:
    """Return the rows that are compared: all if that takes few enough products, else those that decide for a group.

    Those are accounts whose text reads like a harvest's; others can still join. If they are too many as well, every
    second, third or further one is compared.
    """
    if _products(population.slots, rows) <= products:
        return rows
    rows = rows[population.log_odds[rows] >= 0]
    if (needed := _products(population.slots, rows)) > products:
        rows = rows[:: int(np.ceil(np.sqrt(needed / products)))]
    return rows


def _products(slots: csr_array, rows: Numbers) -> float:
    users = np.asarray(csr_array(slots[rows]).sum(axis=0), dtype=float).ravel()
    return float((users**2).sum())


def _pairs(among: csr_array, number: Numbers, chance: float) -> csr_array:
    turned = csr_array(among.T)
    found = []
    for start in range(0, among.shape[0], ROWS_AT_ONCE):
        block = coo_array(csr_array(among[start : start + ROWS_AT_ONCE]) @ turned)
        first, second, common = block.coords[0] + start, block.coords[1], block.data
        kept = (first < second) & (common >= LEAST_COMMON)
        first, second, common = first[kept], second[kept], common[kept]
        found.append((first, second, _similarity(common, number[first] * number[second] * chance)))
    first, second, value = (np.concatenate(column) for column in zip(*found, strict=True))
    return symmetric(first, second, value, size=among.shape[0], least=LEAST_RATIO / FULL_RATIO)


def _similarity(common: Numbers, expected: Numbers) -> Numbers:
    """Return how alike the clocks of two accounts are, 0 to 1; 0 where it may be chance."""
    ratio = common / np.maximum(expected, 1e-9)
    surprise = (common - expected) / np.sqrt(expected + 0.5)
    is_sure = (common >= LEAST_COMMON) & (ratio >= LEAST_RATIO) & (surprise >= LEAST_Z)
    return np.where(is_sure, np.minimum(1.0, ratio / FULL_RATIO), 0.0)
