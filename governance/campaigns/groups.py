"""Find groups of accounts that are densely tied by several kinds of ties at once. Pure.

Greedy peeling finds a subgraph of at least half the greatest density there is (Charikar 2000,
https://doi.org/10.1007/3-540-44436-X_10); density is the sum of the weights of its links divided by its number of
accounts. FRAUDAR (Hooi and others 2016, https://doi.org/10.1145/2939672.2939747) peels a graph whose weights make
camouflage worthless; here the weights are those of `links`. After a dense part is found the rest is searched again, so
that two campaigns with one account in common do not become one.
"""

import heapq
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import polars as pl
import rustworkx as rx

from governance.campaigns.links import MIN_IDENTIFYING_TIE, TIES, is_strong_link

MIN_GROUP_SIZE: Final = 3
# Each account keeps the ties that are at least this share of its strongest ones: of two lists of wrappers that overlap
# two groups come, not one.
MIN_RELATIVE_STRENGTH: Final = 0.65
Ties: TypeAlias = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class GroupMember:
    """How an account belongs to its group: the number of members it is tied to, and its mean strongest ties by kind."""

    tied_to: int
    ties: Ties

    @property
    def strength(self) -> float:
        """How surely the account belongs to the group, from 0 to 1: 1 from ties that add up to 1.5.

        >>> GroupMember(3, {"card": 0.5, "wrappers": 0.25}).strength
        0.5
        """
        return min(1.0, sum(self.ties.values()) / 1.5)


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts that act as one, by account id, and those tied to them too weakly, which are left out."""

    members: Mapping[int, GroupMember]
    left_out: Mapping[int, GroupMember] = field(default_factory=dict)


def find_groups(links: pl.DataFrame, *, barred: Collection[int] = ()) -> list[Group]:
    """Return the groups of at least 3 accounts among these links, the largest first. No account is in two of them.

    Each group's core is within a factor of two of the greatest density in its part of the graph (see above).

    Args:
        links: rows of `links.LINKS`, each pair once; ties from 0 to 1.
        barred: account ids that belong to no group; where they are tied to one they are in its `left_out`.

    >>> tied = {"wrappers": 1.0, "shards": 0.0, "addresses": 0.0, "card": 0.8, "settings": 0.0}
    >>> links = pl.DataFrame([{"one": a, "other": b, **tied} for a, b in ((1, 2), (1, 3), (2, 3))])
    >>> [group] = find_groups(links)
    >>> {account: (member.tied_to, member.strength) for account, member in group.members.items()}
    {1: (2, 1.0), 2: (2, 1.0), 3: (2, 1.0)}
    """
    weighed = links.with_columns(total=pl.sum_horizontal(TIES), solid=is_strong_link())
    may = ~pl.col("one").is_in(barred) & ~pl.col("other").is_in(barred)
    found: list[Group] = []
    taken: set[int] = set()
    # Links with wrappers first: accounts that send no text can join those groups, else form groups of their own.
    for among in (pl.col("wrappers") > 0, pl.col("wrappers") == 0):
        free = may & ~pl.col("one").is_in(taken) & ~pl.col("other").is_in(taken)
        ties = _nearly_as_strong(weighed.filter(pl.col("solid") & among & free))
        cores = [core for part in _components(ties) for core in _dense_parts(part)]
        taken.update(*cores)
        for core in cores:
            group = _group(core, weighed, taken=taken, barred=barred)
            taken |= group.members.keys()
            found.append(group)
    return sorted(found, key=lambda group: (-len(group.members), min(group.members)))


def _nearly_as_strong(links: pl.DataFrame) -> pl.DataFrame:
    """Return the links that are nearly as strong as the strongest of both accounts."""
    each = pl.concat([links.select(account=whose, total="total") for whose in ("one", "other")])
    best = each.group_by("account").agg(best=pl.col("total").top_k(MIN_GROUP_SIZE).mean())
    with_best = links.join(best.rename({"account": "one"}), on="one").join(
        best.rename({"account": "other"}), on="other", suffix="_other"
    )
    return with_best.filter(pl.col("total") >= MIN_RELATIVE_STRENGTH * pl.max_horizontal("best", "best_other"))


def _components(links: pl.DataFrame) -> Iterator[dict[int, dict[int, float]]]:
    """Yield the connected components, each as {account: {other account: weight}}."""
    numbers = {account: place for place, account in enumerate(sorted({*links["one"], *links["other"]}))}
    accounts = list(numbers)
    graph = rx.PyGraph(multigraph=False)
    graph.add_nodes_from(accounts)
    graph.extend_from_weighted_edge_list(
        [(numbers[one], numbers[other], total) for one, other, total in links.select("one", "other", "total").rows()]
    )
    for component in rx.connected_components(graph):
        yield {
            accounts[node]: {accounts[other]: weight for other, weight in graph.adj(node).items()}
            for node in sorted(component)
        }


def _dense_parts(ties: Mapping[int, Mapping[int, float]]) -> Iterator[frozenset[int]]:
    """Yield the densest part, then the densest of what is left, while at least `MIN_GROUP_SIZE` accounts are left."""
    left = set(ties)
    while len(left) >= MIN_GROUP_SIZE:
        dense = _densest(ties, left)
        if len(dense) < MIN_GROUP_SIZE:
            return
        yield dense
        left -= dense


def _densest(ties: Mapping[int, Mapping[int, float]], within: Collection[int]) -> frozenset[int]:
    """Return the densest set met while removing the account with the smallest weight again and again.

    Takes O(m log n) time for m links among n accounts.
    """
    degree = {account: sum(w for other, w in ties[account].items() if other in within) for account in within}
    heap = [(weight, account) for account, weight in degree.items()]
    heapq.heapify(heap)
    total, left = sum(degree.values()) / 2, set(within)
    best, best_density, gone = 0, total / len(left), []
    while len(left) > MIN_GROUP_SIZE:
        weight, account = heapq.heappop(heap)
        if account not in left or weight > degree[account]:
            continue
        left.remove(account)
        gone.append(account)
        total -= degree[account]
        for other, weight in ties[account].items():
            if other in left:
                degree[other] -= weight
                heapq.heappush(heap, (degree[other], other))
        if total / len(left) > best_density:
            best, best_density = len(gone), total / len(left)
    if best_density == 0:
        return frozenset()
    return frozenset(within) - frozenset(gone[:best])


def _group(core: frozenset[int], links: pl.DataFrame, *, taken: Collection[int], barred: Collection[int]) -> Group:
    """Return the core with the accounts that identifying ties bind to at least two of it; others tied are left out."""
    inside = pl.Series(sorted(core))
    both = pl.concat([links, links.rename({"one": "other", "other": "one"}).select(links.columns)])
    near = (
        both.filter(pl.col("other").is_in(inside.implode()))
        .group_by("one")
        .agg(
            tied_to=pl.len(),
            telling=(pl.max_horizontal("card", "addresses") >= MIN_IDENTIFYING_TIE).sum(),
            solid=pl.col("solid").any(),
            **{tie: pl.col(tie).top_k(MIN_GROUP_SIZE).mean() for tie in TIES},
        )
        .sort("one")
    )
    members: dict[int, GroupMember] = {}
    left_out: dict[int, GroupMember] = {}
    for account, tied_to, telling, is_solid, *ties in near.iter_rows():
        member = GroupMember(
            tied_to, {tie: round(value, 3) for tie, value in zip(TIES, ties, strict=True) if value > 0}
        )
        if account in core or (telling > 1 and account not in taken and account not in barred):
            members[account] = member
        elif account in barred or (is_solid and account not in taken):
            left_out[account] = member
    return Group(members, left_out)
