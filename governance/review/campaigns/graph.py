"""Draw what ties the members of a campaign: traits in the middle of those who have them. Pure.

A trait that two members or more have (words around prompts, an address, a card) is a node, and so are the members that
have the same traits: one account, or a group drawn as one circle with its number. So 5 members and 500 are read alike.
The layout is force-directed (Fruchterman and Reingold, "Graph drawing by force-directed placement", 1991), by
rustworkx, from a fixed seed: the same ties are drawn alike each time.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final, NamedTuple

import rustworkx

from governance.review.campaigns.labels import Label, place_labels

WIDTH: Final = 1000.0
HEIGHT: Final = 520.0
MARGIN_X: Final = 90.0
MARGIN_Y: Final = 42.0
# Traits drawn at first; fewer where the members would fall into more groups than can be told apart.
TRAITS_TRIED: Final = (24, 12, 8, 5, 3, 2, 1)
MOST_GROUPS: Final = 40
NAMED_IN_A_GROUP: Final = 6
# Names of single accounts are written only where there is room for them.
NAMED_UP_TO: Final = 26
SEED: Final = 7


class SharedTrait(NamedTuple):
    """Something that several members have: `kind` is "words", "address" or "card"."""

    kind: str
    members: frozenset[str]


class DrawnTrait(NamedTuple):
    x: float
    y: float
    kind: str
    name: str
    members: int
    named: list[str]
    more: int
    label_at: float = -15.0


class DrawnGroup(NamedTuple):
    """One account, or several that have the same traits."""

    x: float
    y: float
    radius: float
    size: int
    label: str
    title: str
    label_at: float = 0.0


class DrawnTie(NamedTuple):
    x1: float
    y1: float
    x2: float
    y2: float
    width: float


@dataclass(frozen=True)
class TieGraph:
    """`alone` members have none of the traits drawn; `left_out` traits are not drawn."""

    traits: tuple[DrawnTrait, ...]
    members: tuple[DrawnGroup, ...]
    ties: tuple[DrawnTie, ...]
    alone: int
    left_out: int
    width: float = WIDTH
    height: float = HEIGHT


def draw_ties(shared: Sequence[SharedTrait], members: Sequence[str]) -> TieGraph | None:
    """Draw the traits that most members share; None where no two members share any.

    Args:
        shared: what two members or more have.
        members: the ids of all members.
    """
    most_first = sorted(shared, key=lambda trait: (-len(trait.members), trait.kind, sorted(trait.members)))
    if not most_first:
        return None
    for most in TRAITS_TRIED:
        traits = most_first[:most]
        groups = _group_alike(traits, members)
        if len(groups) <= MOST_GROUPS:
            break
    graph: rustworkx.PyGraph[int, None] = rustworkx.PyGraph()
    of_traits = [graph.add_node(place) for place in range(len(traits))]
    of_groups = [graph.add_node(place) for place in range(len(groups))]
    for node, has in zip(of_groups, groups, strict=True):
        graph.add_edges_from([(of_traits[place], node, None) for place in has])
    at = _fit(rustworkx.spring_layout(graph, seed=SEED, num_iter=120))
    names = _names(traits)
    drawn_traits, drawn_groups = _with_labels(
        [_drawn_trait(trait, name, at[node]) for trait, name, node in zip(traits, names, of_traits, strict=True)],
        [
            _drawn_group(some, [names[place] for place in has], at[node], is_named=len(groups) <= NAMED_UP_TO)
            for node, (has, some) in zip(of_groups, groups.items(), strict=True)
        ],
    )
    return TieGraph(
        traits=drawn_traits,
        members=drawn_groups,
        ties=tuple(
            DrawnTie(*at[of_traits[place]], *at[node], width=round(min(6.0, 0.8 + sqrt(len(some)) / 2), 1))
            for node, (has, some) in zip(of_groups, groups.items(), strict=True)
            for place in has
        ),
        alone=len(members) - sum(map(len, groups.values())),
        left_out=len(most_first) - len(traits),
    )


def _group_alike(traits: Sequence[SharedTrait], members: Sequence[str]) -> Mapping[tuple[int, ...], list[str]]:
    """Return the members by the places of the traits they have, without those who have none."""
    groups: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for member in sorted(members):
        if has := tuple(place for place, trait in enumerate(traits) if member in trait.members):
            groups[has].append(member)
    return dict(groups)


def _names(traits: Sequence[SharedTrait]) -> list[str]:
    """Number the traits of each kind: digests of words, addresses and cards say nothing to a reader."""
    counted: dict[str, int] = defaultdict(int)
    names = []
    for trait in traits:
        counted[trait.kind] += 1
        names.append(f"{trait.kind.capitalize()} {counted[trait.kind]}")
    return names


def _drawn_trait(trait: SharedTrait, name: str, at: tuple[float, float]) -> DrawnTrait:
    named = sorted(trait.members)[:NAMED_IN_A_GROUP]
    return DrawnTrait(*at, trait.kind, name, len(trait.members), named, len(trait.members) - len(named))


def _drawn_group(some: Sequence[str], has: Sequence[str], at: tuple[float, float], *, is_named: bool) -> DrawnGroup:
    more = len(some) - NAMED_IN_A_GROUP
    whom = ", ".join(some[:NAMED_IN_A_GROUP]) + (f" and {more} more" if more > 0 else "")
    label = (some[0] if is_named else "") if len(some) == 1 else f"{len(some)} accounts"
    return DrawnGroup(*at, round(5 + 2.4 * sqrt(len(some) - 1), 1), len(some), label, f"{whom}: {', '.join(has)}")


def _with_labels(
    traits: Sequence[DrawnTrait], groups: Sequence[DrawnGroup]
) -> tuple[tuple[DrawnTrait, ...], tuple[DrawnGroup, ...]]:
    """Return both with their labels placed apart; those of traits are placed first."""
    labels = [Label(one.x, one.y, one.name, -15.0, 24.0, is_above=True) for one in traits]
    labels += [
        Label(one.x, one.y, one.label, -one.radius - 6, one.radius + 14, is_above=False) for one in groups if one.label
    ]
    places = iter(place_labels(labels, height=HEIGHT))
    return (
        tuple(one._replace(label_at=next(places)) for one in traits),
        tuple(one._replace(label_at=next(places)) if one.label else one for one in groups),
    )


def _fit(positions: Mapping[int, Sequence[float]]) -> dict[int, tuple[float, float]]:
    """Return the positions stretched over the drawing."""
    xs, ys = ([position[axis] for position in positions.values()] for axis in (0, 1))
    return {
        node: (
            _stretch(position[0], xs, MARGIN_X, WIDTH - MARGIN_X),
            _stretch(position[1], ys, MARGIN_Y, HEIGHT - MARGIN_Y),
        )
        for node, position in positions.items()
    }


def _stretch(value: float, among: Sequence[float], least: float, most: float) -> float:
    low, high = min(among), max(among)
    return round(least + (most - least) * ((value - low) / (high - low) if high > low else 0.5), 1)
