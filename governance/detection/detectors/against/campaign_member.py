"""Coordinated with other accounts.

Accounts of different organisations that use the same unusual wrappers in the same proportions, divide one body of
prompts among them, come from the same addresses, are paid with one card or keep the same rare settings. Chance gives
two customers little of that in common; each kind of tie is measured against it, and it takes several kinds to make a
campaign. Only groups whose usage, added up, is a harvest are campaigns.
"""

from collections.abc import Sequence
from typing import Final

from governance.detection.finding import Family, Finding
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.TOGETHER
VERSION: Final = 2
WEIGHT: Final = 26
HARMLESS: Final = "An agency's clients, a university's members and the users of a framework have things in common too."

TIES: Final = {
    "wrappers": "the same prompt templates in the same proportions",
    "shards": "a shared prompt pool",
    "addresses": "the same IP addresses",
    "card": "the same payment card",
    "settings": "the same rare settings",
}


def detect(usage: AccountUsage, *, least_tie: float = 0.15) -> Finding | None:
    """Strength is how surely the account belongs to its campaign."""
    campaign = usage.facts.campaign
    if campaign is None:
        return None
    strongest_first = sorted(campaign.ties, key=lambda tie: (-campaign.ties[tie], tie))
    have = [TIES[tie] for tie in strongest_first if campaign.ties[tie] >= least_tie]
    return Finding(
        strength=campaign.belongs,
        sentence=(
            f"One of {campaign.members} accounts in a campaign, and linked to {campaign.tied_to} of them {_ways(have)}."
        ),
        evidence={
            "members": campaign.members,
            "tied_to": campaign.tied_to,
            **{f"tie_{tie}": strength for tie, strength in campaign.ties.items()},
        },
    )


def _ways(have: Sequence[str]) -> str:
    """Kinds of ties. Each is measured over all of them together, so that none is claimed of each."""
    if not have:
        return "by weak ties only"
    return f"by {have[0]}" if len(have) == 1 else f"by one or more of {', '.join(have[:-1])} and {have[-1]}"
