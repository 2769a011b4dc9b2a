"""Accounts and what they have, as the tables that linking reads."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import polars as pl

from governance.campaigns.links import ACCOUNTS, TRAITS, score_links
from governance.campaigns.traits import TraitKind

POPULATION = 1_000


class Village:
    """Some accounts among a thousand. What nobody else is said to have only they have."""

    def __init__(self) -> None:
        self.traits: list[tuple[int, int, int, float]] = []
        self.samples: dict[int, Sequence[int]] = {}
        self.breadth: dict[int, float] = {}
        self.organisations: dict[int, int] = {}
        self.others: dict[tuple[int, int], int] = {}

    def account(
        self,
        number: int,
        *,
        wrappers: Mapping[int, float] | None = None,
        addresses: Mapping[int, float] | None = None,
        card: int | None = None,
        settings: int | None = None,
        prompts: Sequence[int] = (),
        breadth: float = 0.9,
        organisation: int | None = None,
    ) -> None:
        for kind, shares in ((TraitKind.TEMPLATE, wrappers or {}), (TraitKind.ADDRESS, addresses or {})):
            self.traits += [(number, kind, digest, share) for digest, share in shares.items()]
        for kind, digest in ((TraitKind.CARD, card), (TraitKind.SETTINGS, settings)):
            if digest is not None:
                self.traits.append((number, kind, digest, 1.0))
        self.samples[number] = prompts
        self.breadth[number] = breadth
        self.organisations[number] = organisation if organisation is not None else number

    def known_to(self, kind: TraitKind, digest: int, others: int) -> None:
        """So many accounts besides have this too."""
        self.others[kind, digest] = others

    def links(self) -> pl.DataFrame:
        """The ties between all of them."""
        users: dict[tuple[int, int], int] = {}
        for _, kind, digest, _ in self.traits:
            users[kind, digest] = users.get((kind, digest), self.others.get((kind, digest), 0)) + 1
        traits = pl.DataFrame(
            [(a, int(kind), d, share, users[kind, d], 100, 50) for a, kind, d, share in self.traits],
            schema=TRAITS,
            orient="row",
        )
        pairs = pl.DataFrame(
            [*combinations(sorted(self.samples), 2)], schema={"one": pl.Int64, "other": pl.Int64}, orient="row"
        )
        samples = pl.DataFrame(
            [(account, prompt) for account, prompts in self.samples.items() for prompt in prompts],
            schema={"account": pl.Int64, "digest": pl.Int64},
            orient="row",
        )
        accounts = pl.DataFrame(
            [(account, self.organisations[account], self.breadth[account]) for account in self.samples],
            schema=ACCOUNTS,
            orient="row",
        )
        return score_links(pairs, traits, samples, accounts, population=POPULATION)


FOUR_WRAPPERS = {11: 0.25, 12: 0.25, 13: 0.25, 14: 0.25}


def prompts_of(number: int) -> range:
    """Prompts that nobody else sends."""
    return range(1_000 * number, 1_000 * number + 60)


def hydra(village: Village, heads: Sequence[int], *, wrappers: Mapping[int, float] = FOUR_WRAPPERS) -> None:
    """A harvest over several accounts: one list of wrappers, each its own part of the prompts."""
    for head in heads:
        village.account(head, wrappers=wrappers, prompts=prompts_of(head))
