"""Sends prompts that unrelated customers also send.

Public evaluations, examples from a framework's manual, well-known puzzles: the very same prompts come from customers
who have nothing to do with each other. A harvest wants what nobody has asked before. What the accounts of one campaign
have in common does not count.
"""

from typing import Final

from governance.detection.finding import Family, Finding, name_sample, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.HARMLESS
VERSION: Final = 2
WEIGHT: Final = -15
HARMLESS: Final = "This is evidence for the account; a harvest can send public prompts between its own."


def detect(
    usage: AccountUsage, *, least_texts: int = 10, ordinary_share: float = 0.5, most: float = 0.9
) -> Finding | None:
    """Strength grows with the share of sampled prompts that several other customers sent too."""
    share = usage.facts.public_share
    if usage.texts < least_texts or share <= ordinary_share or usage.making_share > 0.2:
        return None
    return Finding(
        strength=ramp(share, ordinary_share, most) * (1 - ramp(usage.mean_n, 1.5, 4)),
        sentence=(
            f"{percent(share)} of the {name_sample('prompts', usage.facts.public_prompts)} were sent by at least four "
            "other accounts too, in the same or almost the same words."
        ),
        evidence={"public_share": share, "prompts_sampled": usage.facts.public_prompts, "texts": usage.texts},
    )
