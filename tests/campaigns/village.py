"""Accounts among a thousand others, as the tables in which campaigns are searched."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from governance.campaigns.hand_made_rules import HandMadeRule
from governance.campaigns.population import ACCOUNTS, TRAITS, Numbers, Population
from governance.campaigns.search import FoundGroup, search_groups
from governance.campaigns.traits import TraitKind

OTHERS = 1_000
FOUR_WRAPPERS = {11: 0.25, 12: 0.25, 13: 0.25, 14: 0.25}
MIDNIGHT = 144 * 20_000


def prompts_of(number: int, *, among: int = 2**62) -> Sequence[int]:
    """Sketches of thirty prompts: this account's own, or some of many that all accounts send."""
    sketches = np.random.default_rng(number if among > 30 else 0).integers(0, among, 30)
    return [int(sketch) for sketch in sketches]


class Village:
    """Values that only these accounts have."""

    def __init__(self) -> None:
        self.accounts: list[dict[str, Any]] = []
        self.traits: list[tuple[int, int, int, float]] = []
        self.prompts: dict[int, Sequence[int]] = {}

    def account(
        self,
        number: int,
        *,
        wrappers: Mapping[int, float] | None = None,
        addresses: Mapping[int, float] | None = None,
        card: int | None = None,
        slots: Sequence[int] = (),
        log_odds: float | None = 3.0,
        prompts: Sequence[int] | None = None,
        organisation: int | None = None,
        **other: Any,
    ) -> None:
        """Add an account whose prompts read like a harvest's; `log_odds` None for one without text."""
        for kind, shares in ((TraitKind.OPENING, wrappers or {}), (TraitKind.ADDRESS, addresses or {})):
            self.traits += [(number, kind, digest, share) for digest, share in shares.items()]
        if card is not None:
            self.traits.append((number, TraitKind.CARD, card, 1.0))
        self.prompts[number] = prompts_of(number) if prompts is None else prompts
        plain = {"email_domain": "", "licensed": False, "is_product": False, "is_evaluation": False}
        self.accounts.append(
            plain
            | {
                "account": number,
                "organisation": number if organisation is None else organisation,
                "texts": 0 if log_odds is None else 100,
                "log_odds": log_odds,
                "slots": list(slots),
            }
            | other
        )

    def add(self, **given: Any) -> int:
        """Add an account, and return its number: its row, where no others are added behind it."""
        number = len(self.accounts)
        self.account(number, **given)
        return number

    def population(self, *, others: int = OTHERS) -> Population:
        """Return these accounts among others, that have nothing in common with anybody."""
        for number in range(10_000, 10_000 + others):
            self.account(number, log_odds=-3.0)
        return Population(
            pl.DataFrame(self.accounts, schema=ACCOUNTS).sort("account"),
            pl.DataFrame(self.traits, schema=TRAITS, orient="row"),
        )

    def search(self, rules: Sequence[HandMadeRule] = ()) -> list[FoundGroup]:
        population = self.population()

        def sketches(rows: Numbers) -> list[Numbers]:
            return [np.array(self.prompts[int(population.ids[row])], dtype=np.uint64) for row in rows]

        return search_groups(population, sketches, rules)

    def campaigns(self, rules: Sequence[HandMadeRule] = ()) -> list[set[int]]:
        """Return the members of each campaign."""
        return [set(group.members) for group in self.search(rules) if group.verdict.is_campaign]


def harvest(village: Village, heads: Sequence[int], **given: Any) -> None:
    """Add accounts that divide the work: one list of wrappers, each with prompts of its own."""
    for head in heads:
        village.account(head, **{"wrappers": FOUR_WRAPPERS} | given)


def meeting_slots(number: int, *, often: int = 20, alone: int = 10, days: int = 5) -> list[int]:
    """Return slots over some days: most at times that everybody with this pattern keeps, some of one's own."""
    together = [MIDNIGHT + 144 * (place % days) + 7 * (place // days) + 3 for place in range(often)]
    own = np.random.default_rng(number).integers(MIDNIGHT, MIDNIGHT + 144 * 12, alone).tolist()
    return sorted({*together, *own})


def on_several_days(places: Iterable[int]) -> list[int]:
    """Return a slot for each place, spread evenly over forty days."""
    return [MIDNIGHT + 144 * (place % 40) + place // 40 for place in places]
