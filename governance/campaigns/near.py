"""Find accounts that use a campaign's wrapper without belonging to it. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from governance.campaigns.population import Numbers, Population

# A wrapper of more than this share of the accounts is a public tool's, and one of fewer members nobody's.
MOST_USERS: Final = 0.05
FEWEST_MEMBERS: Final = 3
# On this share of its prompts the wrapper counts in full.
FULL_SHARE: Final = 0.15
# An evaluation has its wrappers from where everybody has them, and an e-mail domain of five accounts or more that
# is not public is an institution's, whose members share templates.
INSTITUTION_FROM: Final = 5
PUBLIC_DOMAIN: Final = 40
LEAST: Final = 0.1


def find_near(population: Population, campaigns: Sequence[Numbers]) -> dict[int, Mapping[int, float]]:
    """Return by campaign, by place, the rows near it and how near, from 0 to 1.

    An account is near if it opens or closes prompts in words whose other users are mostly members, and its own content
    does not speak against it.

    Args:
        campaigns: the rows of the members of each.
    """
    if not campaigns:
        return {}
    shares = population.wrapper_shares
    of = np.full(len(population), -1)
    for place, rows in enumerate(campaigns):
        of[rows] = place
    users = np.asarray(shares.count_nonzero(axis=0))
    members = np.asarray(csr_array(shares[of >= 0]).count_nonzero(axis=0))
    telling = (members >= FEWEST_MEMBERS) & (users <= max(MOST_USERS * len(population), 2 * FEWEST_MEMBERS))
    worth = np.where(telling, members / np.maximum(users - 1, 1), 0.0)
    own = _own_content(population)
    found: dict[int, dict[int, float]] = {}
    for row in np.flatnonzero((of < 0) & (own > 0)):
        within = slice(shares.indptr[row], shares.indptr[row + 1])
        columns = shares.indices[within]
        near = np.minimum(1.0, shares.data[within] / FULL_SHARE) * worth[columns] * own[row]
        if not len(near) or near.max() < LEAST:
            continue
        best = columns[near.argmax()]
        place = _campaign_of(shares, of, best)
        found.setdefault(place, {})[int(row)] = float(near.max())
    return dict(found)


def _campaign_of(shares: csr_array, of: Numbers, column: int) -> int:
    """Return the campaign to which most users of a wrapper belong."""
    users = np.flatnonzero(np.asarray(shares[:, [column]].todense()).ravel())
    return int(np.bincount(of[users][of[users] >= 0]).argmax())


def _own_content(population: Population) -> Numbers:
    """Return how far each account's own content allows it, 0 to 1; 0 without text and for members of institutions."""
    counted = Counter(population.domains)
    institution = np.array([INSTITUTION_FROM <= counted[one] < PUBLIC_DOMAIN for one in population.domains], dtype=bool)
    shares_templates = institution | population.evaluating
    allowed: Numbers = np.clip((np.nan_to_num(population.log_odds, nan=-6.0) + 1) / 1.5, 0, 1)
    return np.where(shares_templates, 0.0, allowed)
