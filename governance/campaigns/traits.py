"""Traits: what an account has that others may have too. Pure."""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from accounts.pseudonyms import card_digest
from governance.usage.account_usage import AccountUsage
from governance.usage.profiles.build import address_digest

WRAPPERS_COMPARED: Final = 24
# An opening or a closing counts as a wrapper from this many uses on.
LEAST_USES: Final = 2
ADDRESSES_COMPARED: Final = 32

MAJORITY: Final = 0.5
# The answers of an evaluation are shorter than this many tokens in the median.
SHORT_ANSWER: Final = 20


class TraitKind(IntEnum):
    """Kinds of trait. The numbers are stored: they stay, new ones come at the end."""

    OPENING = 1
    ADDRESS = 2
    CARD = 3
    CLOSING = 4


class Trait(NamedTuple):
    """Something an account has: `uses` requests carry it, which is `share` of those that could."""

    kind: TraitKind
    digest: int
    uses: int
    share: float


class SignUpFacts(NamedTuple):
    """What the register knows about the sign-up of an account; empty strings where unknown."""

    card: str = ""
    address: str = ""


def list_traits(usage: AccountUsage, sign_up: SignUpFacts) -> Iterator[Trait]:
    """Yield each trait by which the account may be tied to others, once."""
    for kind, used in ((TraitKind.OPENING, usage.top_openings), (TraitKind.CLOSING, usage.top_closings)):
        for digest, uses in used[:WRAPPERS_COMPARED]:
            if uses >= LEAST_USES:
                yield Trait(kind, digest, uses, uses / usage.texts)
    addresses = dict(usage.top_addresses[:ADDRESSES_COMPARED])
    if sign_up.address:
        addresses.setdefault(address_digest(sign_up.address), 0)
    for digest, uses in addresses.items():
        yield Trait(TraitKind.ADDRESS, digest, uses, uses / usage.events if usage.events else 0.0)
    if sign_up.card:
        yield Trait(TraitKind.CARD, card_digest(sign_up.card), 0, 1.0)


def is_product(usage: AccountUsage) -> bool:
    """Return True if most requests carry tools or a schema for the answer, as those of a product or an agent do."""
    return max(usage.tools_share, usage.structured_share) >= MAJORITY


def is_evaluation(usage: AccountUsage) -> bool:
    """Return True if requests look like those of an evaluation.

    Most are set to give the same answer each time, the answers are short, and most prompts have one opening or the
    marks of a test.
    """
    opening = max((uses for _, uses in usage.top_openings), default=0)
    is_uniform = usage.texts > 0 and opening >= MAJORITY * usage.texts
    return (
        usage.settled_share >= MAJORITY
        and 0 < usage.median_output < SHORT_ANSWER
        and (is_uniform or usage.marker_share("benchmark") >= MAJORITY)
    )
