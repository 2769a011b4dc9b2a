"""Has answers rated or compared.

Reward models and preference data need verdicts: which of two answers is better, how many points out of ten.
A pipeline that collects them asks for a verdict in a fixed wording, thousands of times.
"""

from typing import Final

from governance.detection.curves import Figure, content_strength, full_points
from governance.detection.finding import Family, Finding, percent
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.CONTENT
VERSION: Final = 2
WEIGHT: Final = full_points("answer_rating")
HARMLESS: Final = "Teams that test their own assistant have its answers graded by a model as well."

FIGURES: Final[dict[str, Figure]] = {"judging_share": lambda usage: usage.marker_share("judging", "critique")}


def detect(usage: AccountUsage) -> Finding | None:
    """Strength grows with the share of prompts that ask for a rating of answers or for a critique and revision."""
    share = usage.marker_share("judging", "critique")
    return Finding(
        strength=content_strength("answer_rating", FIGURES, usage),
        sentence=f"{percent(share)} of {usage.texts:,} prompts ask to rate, compare or criticise answers.",
        evidence={"judging_share": share, "texts": usage.texts},
    )
