"""What people have said about which accounts belong together, applied to the groups that were found. Pure.

Rules are applied in the order in which they were made, so that the last one counts:

1. Accounts that belong together: the groups that consist of them by half or more become one, with those of them that
   are in no group.
2. Accounts that belong apart from others: where a group has some of both, the first are taken out as a group of their
   own.

Whether a group is a campaign is judged afterwards, as of any other.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from governance.campaigns.groups import Basis, Candidates
from governance.campaigns.hand_made_rules import Belonging, HandMadeRule
from governance.campaigns.population import Numbers, Population

MOSTLY: Final = 0.5


def apply_rules(
    population: Population, groups: Sequence[Candidates], rules: Sequence[HandMadeRule]
) -> list[Candidates]:
    """Return the groups as the rules want them; licensed accounts stay out of all."""
    found = list(groups)
    for rule in rules:
        rows = _rows(population, rule.accounts)
        if rule.belonging is Belonging.TOGETHER:
            found = _together(found, rows)
        else:
            found = _apart(found, rows, _rows(population, rule.others))
    return found


def may_join(population: Population, row: int, members: Collection[int], rules: Sequence[HandMadeRule]) -> bool:
    """Return False if the account at this row was last said to belong apart from one of the members, by row."""
    account = int(population.ids[row])
    ids = {int(one) for one in population.ids[np.array([*members], dtype=np.int64)]}
    apart: set[int] = set()
    for rule in rules:
        sides = (rule.accounts, rule.others)
        if rule.belonging is Belonging.TOGETHER and account in rule.accounts:
            apart -= rule.accounts
        for own, other in (sides, sides[::-1]):
            if rule.belonging is Belonging.APART and account in own:
                apart |= other
    return not apart & ids


def _rows(population: Population, accounts: Collection[int]) -> Numbers:
    return np.flatnonzero(np.isin(population.ids, [*accounts]) & ~population.barred)


def _together(groups: Sequence[Candidates], rows: Numbers) -> list[Candidates]:
    if not len(rows):
        return list(groups)
    joined = [group for group in groups if np.isin(group.rows, rows).mean() >= MOSTLY]
    others = [group for group in groups if not any(group is one for one in joined)]
    elsewhere = np.concatenate([np.zeros(0, dtype=np.int64), *(group.rows for group in others)])
    alone = np.setdiff1d(rows, elsewhere)
    members = np.unique(np.concatenate([alone, *(group.rows for group in joined)]))
    largest = max(joined, key=lambda group: len(group.rows), default=Candidates(Basis.WRAPPERS, members))
    left_out = np.concatenate([np.zeros(0, dtype=np.int64), *(group.left_out for group in joined)])
    one = Candidates(largest.basis, members, any(group.hard_tied for group in joined), np.setdiff1d(left_out, members))
    return [one, *others] if len(members) else others


def _apart(groups: Sequence[Candidates], rows: Numbers, others: Numbers) -> list[Candidates]:
    found: list[Candidates] = []
    for group in groups:
        is_taken = np.isin(group.rows, rows)
        if is_taken.any() and np.isin(group.rows, others).any():
            found.append(replace(group, rows=group.rows[~is_taken]))
            found.append(replace(group, rows=group.rows[is_taken], left_out=np.zeros(0, dtype=np.int64)))
        else:
            found.append(group)
    return [group for group in found if len(group.rows)]
