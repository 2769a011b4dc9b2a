"""Addresses and cards that accounts have in common. Pure."""

from typing import Final

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from governance.campaigns.population import Numbers

# A group is cut down to its members with a hard tie to another if these are at least this many and this share of it,
# and either hardly anybody is left over or one chain of ties holds this many.
FEWEST_TIED: Final = 4
LEAST_TIED_SHARE: Final = 0.3
MOST_LEFT_OVER: Final = 0.4
LONG_CHAIN: Final = 8


def tied_rows(values: csr_array, rows: Numbers) -> Numbers:
    """Return the rows that have a value in common with another of them."""
    among = csr_array(values[rows])
    shared = np.asarray(among.count_nonzero(axis=0)) > 1
    return rows[np.asarray(csr_array(among[:, shared]).count_nonzero(axis=1)) > 0]


def split_by_hard_ties(values: csr_array, rows: Numbers) -> list[tuple[Numbers, bool]]:
    """Return the parts of a group, each with whether hard ties hold it together.

    Customers of one public tool share its wrappers; the accounts of a harvest that uses it share addresses or a card as
    well, and those are a group of their own.
    """
    tied = tied_rows(values, rows)
    left = len(rows) - len(tied)
    is_enough = len(tied) >= FEWEST_TIED and len(tied) >= LEAST_TIED_SHARE * len(rows)
    if is_enough and (left <= MOST_LEFT_OVER * len(rows) or _longest_chain(values, tied) >= LONG_CHAIN):
        return [(tied, True), (np.setdiff1d(rows, tied), False)]
    return [(rows, False)]


def _longest_chain(values: csr_array, rows: Numbers) -> int:
    among = csr_array(values[rows])
    _, labels = connected_components(csr_array(among @ among.T), directed=False)
    return int(np.bincount(labels).max())
