"""Named by a partner.

Another provider has met its card, domain, address or wording with an account that it refuses. That is a reason to look
closer, and no more: nobody here has seen what that account did, so it never brings an account before a reviewer alone.
"""

from collections.abc import Mapping
from math import prod
from typing import Final

from governance.detection.finding import Family, Finding
from governance.detection.indicator_kinds import WORDS, IndicatorKind
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.PARTNERS
VERSION: Final = 1
# One nat: what a partner's word is worth was never measured.
WEIGHT: Final = 8
HARMLESS: Final = "Somebody else had the card, domain or address before, or shares the network or a public wording."

# Many people share a network; few share a card.
STRENGTHS: Final[Mapping[str, float]] = {
    IndicatorKind.CARD: 0.8,
    IndicatorKind.WRAPPER: 0.8,
    IndicatorKind.DOMAIN: 0.5,
    IndicatorKind.ADDRESS: 0.5,
    IndicatorKind.NETWORK: 0.25,
}


def detect(usage: AccountUsage, *, strengths: Mapping[str, float] = STRENGTHS) -> Finding | None:
    """Each kind adds to what the others leave open. The same kind from two partners counts once: one may be copied."""
    named = usage.facts.named_by
    if not named:
        return None
    kinds = {kind for _, kind in named}
    partners = list(dict.fromkeys(partner for partner, _ in named))
    return Finding(
        strength=1.0 - prod(1.0 - strengths[kind] for kind in kinds),
        sentence=" ".join(
            f"{partner} names {_listed([WORDS[IndicatorKind(kind)] for by, kind in named if by == partner])}."
            for partner in partners
        ),
        evidence={"partners": len(partners), "indicator_kinds": ", ".join(sorted(kinds))},
    )


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
