"""Acts as one with other accounts.

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
    "wrappers": "the same wrappers in the same proportions",
    "shards": "different parts of one body of prompts",
    "addresses": "the same addresses",
    "card": "one card",
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
            f"It is one of {campaign.members} accounts of a campaign, and tied to {campaign.tied_to} of them: "
            f"{_told(have)}."
        ),
        evidence={
            "members": campaign.members,
            "tied_to": campaign.tied_to,
            **{f"tie_{tie}": strength for tie, strength in campaign.ties.items()},
        },
    )


def _told(have: Sequence[str]) -> str:
    """Kinds of ties. Each is measured over all of them together, so that none is claimed of each."""
    if not have:
        return "by no kind of tie strongly"
    return f"by {have[0]}" if len(have) == 1 else f"by one or more of {', '.join(have[:-1])} and {have[-1]}"
