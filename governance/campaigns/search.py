"""Find the campaigns among all accounts: groups, verdicts, who joins, who is near, and what ties each member. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from governance.campaigns.by_hand import apply_rules, may_join
from governance.campaigns.evidence import GroupFigures, count_figures
from governance.campaigns.groups import LEAST_SIMILARITY, Basis, Candidates, find_groups
from governance.campaigns.hand_made_rules import HandMadeRule
from governance.campaigns.joining import find_joining
from governance.campaigns.near import find_near
from governance.campaigns.population import Numbers, Population
from governance.campaigns.verdict import Sketches, Verdict, assess_groups

OTHER_PROPORTIONS: Final = "Uses the wrappers of the group, but in other proportions."
USES_WRAPPERS: Final = "Uses a wrapper that hardly anybody but members uses; nothing else ties it to them."
LICENSED: Final = "A licence permits training on the answers."


class FoundMember(NamedTuple):
    """How an account belongs: the number of members it is tied to, how surely (0 to 1), and its ties.

    Ties are shares from 0 to 1: of its prompts that open or close in the group's words (`wrappers`), of its active
    ten-minute slots in which a quarter of the members are active too (`hours`), of its requests from addresses that
    another member uses (`addresses`), and 1 for a card that pays for another member (`card`). `wrapper_of` is how much
    an account near a campaign uses its wrappers.
    """

    tied_to: int
    belongs: float
    ties: Mapping[str, float]


@dataclass(frozen=True)
class FoundGroup:
    """A group of accounts, by account id, with its verdict.

    `left_out` says of each account near a campaign why it is no member; `figures` are those of a campaign, None for a
    watched group.
    """

    verdict: Verdict
    members: Mapping[int, FoundMember]
    left_out: Mapping[int, tuple[FoundMember, str]] = field(default_factory=dict)
    figures: GroupFigures | None = None


def search_groups(population: Population, sketches: Sketches, rules: Sequence[HandMadeRule] = ()) -> list[FoundGroup]:
    """Return all groups, campaigns and those that are watched; no account is a member of two.

    Args:
        rules: what people have said of who belongs together and apart.
    """
    groups = apply_rules(population, find_groups(population), rules)
    verdicts = assess_groups(population, groups, sketches)
    campaigns = [place for place, verdict in enumerate(verdicts) if verdict.is_campaign]
    belongs = [dict.fromkeys(group.rows.tolist(), 1.0) for group in groups]
    joined = find_joining(
        population, [groups[place].rows for place in campaigns], [groups[place].basis for place in campaigns]
    )
    for row, place, surely in joined:
        if not may_join(population, row, belongs[campaigns[place]], rules):
            continue
        for others in belongs:
            others.pop(row, None)
        belongs[campaigns[place]][row] = surely
    near = find_near(population, [np.array([*belongs[place]], dtype=np.int64) for place in campaigns])
    found = [
        _watched_group(population, groups[place], verdicts[place], belongs[place])
        for place in _others(verdicts, belongs)
    ]
    return found + [
        _campaign(population, groups[place], verdicts[place], belongs[place], near.get(number, {}))
        for number, place in enumerate(campaigns)
    ]


def _others(verdicts: Sequence[Verdict], belongs: Sequence[Mapping[int, float]]) -> list[int]:
    """Return the places of the watched groups that still have members."""
    return [place for place, verdict in enumerate(verdicts) if not verdict.is_campaign and belongs[place]]


def _watched_group(
    population: Population, group: Candidates, verdict: Verdict, belongs: Mapping[int, float]
) -> FoundGroup:
    """Return a watched group. Most groups are: of their ties only what they were found by is measured."""
    rows = np.array(sorted(belongs), dtype=np.int64)
    shares = (
        _shares_of_hours(population.slots, rows, rows, np.ones(len(rows), dtype=bool))
        if group.basis is Basis.HOURS
        else population.wrapped_shares(rows)
    )
    members = {
        int(account): FoundMember(len(rows) - 1, 1.0, {group.basis.value: round(float(share), 3)})
        for account, share in zip(population.ids[rows], shares, strict=True)
    }
    return FoundGroup(verdict, members)


def _campaign(
    population: Population,
    group: Candidates,
    verdict: Verdict,
    belongs: Mapping[int, float],
    near: Mapping[int, float],
) -> FoundGroup:
    rows = np.array(sorted(belongs), dtype=np.int64)
    ids = population.ids
    members = _members(population, rows, rows, [belongs[int(row)] for row in rows])
    nearby = np.array(sorted({*near, *group.left_out.tolist()} - {*belongs}), dtype=np.int64)
    others = _members(population, nearby, rows, [0.0] * len(nearby))
    left_out = {}
    for row, member in zip(nearby.tolist(), others, strict=True):
        if row in near:
            because = LICENSED if population.barred[row] else USES_WRAPPERS
            ties = {**member.ties, "wrapper_of": round(near[row], 3)}
            left_out[int(ids[row])] = member._replace(ties=ties), because
        else:
            left_out[int(ids[row])] = member, OTHER_PROPORTIONS
    return FoundGroup(
        verdict,
        {int(ids[row]): member for row, member in zip(rows, members, strict=True)},
        left_out,
        count_figures(population, group, rows),
    )


def _members(population: Population, rows: Numbers, group: Numbers, belongs: Sequence[float]) -> list[FoundMember]:
    """Return how each of these rows is tied to the members of the group, itself left aside."""
    if not len(rows):
        return []
    inside = np.isin(rows, group)
    ties = {
        "wrappers": population.wrapped_shares(rows, like=group),
        "hours": _shares_of_hours(population.slots, rows, group, inside),
        "addresses": _shares_in_common(population.addresses, rows, group, inside),
        "card": np.minimum(1.0, _shares_in_common(population.cards, rows, group, inside)),
    }
    alike = csr_array(population.wrappers[rows]) @ csr_array(population.wrappers[group]).T
    tied = csr_array(csr_array(population.hard[rows]) @ csr_array(population.hard[group]).T)
    number = _count_pairs(csr_array(alike), tied) - inside
    return [
        FoundMember(
            int(max(0, number[place])),
            round(float(belongs[place]), 3),
            {tie: round(float(shares[place]), 3) for tie, shares in ties.items() if shares[place] > 0},
        )
        for place in range(len(rows))
    ]


def _count_pairs(alike: csr_array, tied: csr_array) -> Numbers:
    """Return with how many members each row shares wrappers in the same proportions, an address or a card."""
    alike = csr_array((alike.data >= LEAST_SIMILARITY, alike.indices, alike.indptr), shape=alike.shape)
    both = csr_array(alike.astype(np.int8) + csr_array(tied.astype(bool)).astype(np.int8))
    return np.asarray((both > 0).sum(axis=1)).ravel()


def _shares_in_common(values: csr_array, rows: Numbers, group: Numbers, inside: Numbers) -> Numbers:
    """Return the sum of each row's shares of values that a member of the group, other than itself, has."""
    if not values.shape[1]:
        return np.zeros(len(rows))
    users = np.asarray(csr_array(values[group]).count_nonzero(axis=0))
    among = csr_array(values[rows])
    whose = np.repeat(np.arange(len(rows)), np.diff(among.indptr))
    shared = users[among.indices] > inside[whose]
    shares: Numbers = np.bincount(whose, weights=np.where(shared, among.data, 0.0), minlength=len(rows))
    return np.minimum(1.0, shares)


def _shares_of_hours(slots: csr_array, rows: Numbers, group: Numbers, inside: Numbers) -> Numbers:
    """Return the share of each row's slots in which a quarter of the group, at least two, was active as well."""
    active = np.asarray(csr_array(slots[group]).sum(axis=0)).ravel()
    among = csr_array(slots[rows])
    whose = np.repeat(np.arange(len(rows)), np.diff(among.indptr))
    together = active[among.indices] - inside[whose] >= max(2, len(group) / 4)
    number = np.maximum(1, np.bincount(whose, minlength=len(rows)))
    shares: Numbers = np.bincount(whose, weights=together, minlength=len(rows)) / number
    return shares
