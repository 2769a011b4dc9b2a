"""People in need ask.

Somebody who needs help writes of himself, greets and says please, mistypes, and goes on from the answer. That can be
imitated in every text, so it counts for little; that requests name end users and conversations counts for nothing.
"""

from typing import Final

from governance.detection.curves import Figure, content_strength, full_points
from governance.detection.finding import Family, Finding, percent
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.HARMLESS
VERSION: Final = 1
WEIGHT: Final = -full_points("people_ask")
HARMLESS: Final = "This is evidence for the account; how people write can be imitated."

FIGURES: Final[dict[str, Figure]] = {
    "person_share": lambda usage: usage.person_share,
    "polite_share": lambda usage: usage.polite_share,
    "follow_up_share": lambda usage: usage.follow_up_share,
    "concept_support": lambda usage: usage.concepts.get("support"),
    "concept_chat": lambda usage: usage.concepts.get("chat"),
}


def detect(usage: AccountUsage) -> Finding | None:
    """Strength grows with the share of prompts by somebody in need, of polite ones and of follow-ups."""
    return Finding(
        strength=content_strength("people_ask", FIGURES, usage),
        sentence=(
            f"{percent(usage.person_share)} of {usage.texts:,} prompts read as if someone needed help, and "
            f"{percent(usage.follow_up_share)} continue after an answer."
        ),
        evidence={
            "person_share": usage.person_share,
            "polite_share": usage.polite_share,
            "follow_up_share": usage.follow_up_share,
            "concept_support": usage.concepts.get("support"),
            "texts": usage.texts,
        },
    )
