"""Traits: what an account has that others may have too. Pure."""

from collections.abc import Iterator
from enum import IntEnum
from hashlib import blake2b
from typing import Final, NamedTuple

from governance.usage.account_usage import AccountUsage
from governance.usage.profiles.build import address_digest

TEMPLATES_COMPARED: Final = 24
ADDRESSES_COMPARED: Final = 32


class TraitKind(IntEnum):
    """Kinds of trait. The numbers are stored: they stay, new ones come at the end."""

    TEMPLATE = 1
    ADDRESS = 2
    CARD = 3
    SETTINGS = 4


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
    for digest, uses in usage.templates_used[:TEMPLATES_COMPARED]:
        yield Trait(TraitKind.TEMPLATE, digest, uses, uses / usage.texts)
    addresses = dict(usage.top_addresses[:ADDRESSES_COMPARED])
    if sign_up.address:
        addresses.setdefault(address_digest(sign_up.address), 0)
    for digest, uses in addresses.items():
        yield Trait(TraitKind.ADDRESS, digest, uses, uses / usage.events if usage.events else 0.0)
    if usage.top_parameter_share and usage.settings_digest is not None:
        yield Trait(TraitKind.SETTINGS, usage.settings_digest, usage.events, usage.top_parameter_share)
    if sign_up.card:
        yield Trait(TraitKind.CARD, _digest(sign_up.card), 0, 1.0)


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.lower().encode(), digest_size=8).digest(), "big", signed=True)
