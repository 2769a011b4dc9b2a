"""Uses the wrappers of a campaign.

The account does not belong to a campaign, but opens or closes prompts in words that hardly anybody uses but its
members, and its own content does not speak against it: one that has only begun, or mixes a harvest into other traffic.
"""

from typing import Final

from governance.detection.finding import Family, Finding, at_least
from governance.usage.account_usage import AccountUsage
from governance.web.counts import pluralize

FAMILY: Final = Family.TOGETHER
VERSION: Final = 1
# Two and a half nats.
WEIGHT: Final = 20
HARMLESS: Final = "A public tool, or a template of a course, that the members of the campaign use as well."


def detect(usage: AccountUsage, *, least: float = 0.1) -> Finding | None:
    """Strength is the share of the wrapper's other users that are members, less where it is on few prompts."""
    campaign = usage.facts.near_campaign
    if campaign is None or (near := campaign.ties.get("wrapper_of", 0.0)) < least:
        return None
    share = campaign.ties.get("wrappers", 0.0)
    use = f"opens or closes {at_least(share)} of its prompts" if share else "opens or closes some of its prompts"
    return Finding(
        strength=near,
        sentence=(
            f"It {use} in words that hardly anyone uses, except "
            f"{pluralize(campaign.members, 'account')} of a campaign. Nothing else ties it to them."
        ),
        evidence={"members": campaign.members, "wrapped_share": share, "wrapper_of": near},
    )
