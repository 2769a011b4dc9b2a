"""Acts as one with other accounts.

The account belongs to a campaign: accounts of different organisations that open and close their prompts in the same
rare words in the same proportions, or keep meeting in the same ten minutes, come from the same addresses or are paid by
the same card, while they divide the work and hardly send a prompt twice. Chance, one institution, one public tool and
one public evaluation are ruled out first, and the members' content, taken together, must be a
harvest's.
"""

from collections.abc import Iterator
from typing import Final

from governance.detection.finding import Family, Finding, at_least, percent
from governance.usage.account_usage import AccountUsage, CampaignFacts
from governance.web.counts import pluralize

FAMILY: Final = Family.TOGETHER
VERSION: Final = 3
# Nearly eight nats, which is what the family may give: the ties alone are half of it.
WEIGHT: Final = 62
HARMLESS: Final = "A public tool or a course whose users are given different work has prompts in the same words too."


def detect(usage: AccountUsage, *, least_share: float = 0.02) -> Finding | None:
    """Strength is how much the campaign counts, from a half up, times how surely the account belongs to it."""
    campaign = usage.facts.campaign
    if campaign is None:
        return None
    have = [*_ties(campaign, least_share)]
    return Finding(
        strength=campaign.counts * campaign.belongs,
        sentence=f"It acts as one with {_others(campaign)}: {'; '.join(have) or 'by weak ties only'}.",
        evidence={
            "members": campaign.members,
            "organisations": campaign.organisations,
            "tied_to": campaign.tied_to,
            "belongs": campaign.belongs,
            **{f"tie_{tie}": share for tie, share in campaign.ties.items()},
        },
    )


def _others(campaign: CampaignFacts) -> str:
    return f"{pluralize(campaign.members - 1, 'other account')} of {pluralize(campaign.organisations, 'organisation')}"


def _ties(campaign: CampaignFacts, least: float) -> Iterator[str]:
    """Yield what ties this account to other members, in the words of a reviewer."""
    shares = {tie: share for tie, share in campaign.ties.items() if share >= least}
    if "wrappers" in shares:
        yield f"it opens or closes {at_least(shares['wrappers'])} of its prompts in the same words as they do"
    if "hours" in shares:
        yield f"they are active in {percent(shares['hours'])} of the ten-minute spans in which it is"
    if "addresses" in shares:
        yield f"{percent(shares['addresses'])} of its requests come from addresses that they use"
    if "card" in shares:
        yield "its card pays for others of them"
