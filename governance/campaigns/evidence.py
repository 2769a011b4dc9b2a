"""What ties a group and what its members do, in figures. Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from governance.campaigns.groups import Basis, Candidates
from governance.campaigns.hours import days_together, times_chance
from governance.campaigns.population import Numbers, Population

# A wrapper is the group's if this share of its members, at least two, use it.
COMMON: Final = 0.25


@dataclass(frozen=True)
class GroupFigures:
    """A group's figures.

    Attributes:
        accounts: members; `organisations` of them, `population` all accounts.
        wrappers: openings and closings that a quarter of the members use; `wrapped` is the share of a member's prompts
            in them, on average, and `users_elsewhere` the accounts that use half of them or more without belonging.
        addresses: that two members or more use; `at_addresses` members use one of them. The same for cards.
        times_chance: how many times as often as by chance two members are active in the same ten minutes, on `days`.
    """

    basis: Basis
    accounts: int
    organisations: int
    population: int
    texts: int
    wrappers: int
    wrapped: float
    users_elsewhere: int
    addresses: int
    at_addresses: int
    cards: int
    on_cards: int
    times_chance: float
    days: int


def count_figures(population: Population, group: Candidates, rows: Numbers) -> GroupFigures:
    """Return the figures of the members at these rows."""
    shares = population.wrapper_shares
    common = np.asarray(csr_array(shares[rows]).count_nonzero(axis=0)) >= max(2, COMMON * len(rows))
    used = np.asarray(csr_array(shares[:, common]).count_nonzero(axis=1)) if common.any() else np.zeros(len(population))
    elsewhere = (used >= max(1, common.sum() / 2)) & ~np.isin(np.arange(len(population)), rows)
    addresses, at_addresses = _in_common(population.addresses, rows)
    cards, on_cards = _in_common(population.cards, rows)
    return GroupFigures(
        basis=group.basis,
        accounts=len(rows),
        organisations=len(np.unique(population.organisations[rows])),
        population=len(population),
        texts=int(population.texts[rows].sum()),
        wrappers=int(common.sum()),
        wrapped=round(float(population.wrapped_shares(group.rows).mean()), 3),
        users_elsewhere=int(elsewhere.sum()) if common.any() else 0,
        addresses=addresses,
        at_addresses=at_addresses,
        cards=cards,
        on_cards=on_cards,
        times_chance=round(times_chance(population, rows), 1),
        days=days_together(population.slots, rows),
    )


def _in_common(values: csr_array, rows: Numbers) -> tuple[int, int]:
    """Return how many values two of these rows or more have, and how many rows have one of them."""
    if not values.shape[1]:
        return 0, 0
    among = csr_array(values[rows])
    shared = np.asarray(among.count_nonzero(axis=0)) > 1
    return int(shared.sum()), int((np.asarray(csr_array(among[:, shared]).count_nonzero(axis=1)) > 0).sum())
