"""Has answers rated or compared.

Reward models and preference data need verdicts: which of two answers is better, how many points out of ten.
A pipeline that collects them asks for a verdict in a fixed wording, thousands of times.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.CONTENT
VERSION: Final = 1
WEIGHT: Final = 24
HARMLESS: Final = "Teams that test their own assistant have its answers graded by a model as well."


def detect(
    usage: AccountUsage, *, least_texts: int = 20, ordinary_share: float = 0.1, full_share: float = 0.5
) -> Finding | None:
    """Strength grows with the share of prompts that ask for a rating of answers or for a critique and
    revision.
    """
    share = usage.marker_share("judging", "critique")
    if usage.texts < least_texts or share <= ordinary_share:
        return None
    return Finding(
        strength=ramp(share, ordinary_share, full_share) * usage.standalone_share,
        sentence=f"{percent(share)} of {usage.texts:,} prompts ask to rate, compare or criticise answers.",
        evidence={"judging_share": share, "texts": usage.texts, "standalone_share": usage.standalone_share},
    )
