"""Plays both sides of a dialogue.

Dialogue sets are made by letting a model talk to itself: one request plays the user, the next the
assistant, each told in its system prompt to stay in its part (CAMEL, UltraChat). Roles change from dialogue
to dialogue, no person takes part.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.CONTENT
VERSION: Final = 2
WEIGHT: Final = 38
HARMLESS: Final = "Games, companions and language tutors ask the model to play a role, for real users."


def detect(
    usage: AccountUsage, *, least_texts: int = 20, ordinary_share: float = 0.1, full_share: float = 0.6
) -> Finding | None:
    """Strength grows with the share of prompts that assign a part to play, where no end user or
    conversation is named.
    """
    share = usage.marker_share("persona")
    if usage.texts < least_texts or share <= ordinary_share:
        return None
    unattended = 1 - max(usage.end_user_share, usage.conversation_share)
    return Finding(
        strength=ramp(share, ordinary_share, full_share) * unattended,
        sentence=(
            f"{percent(share)} of {usage.texts:,} prompts give the model a role to play, "
            f"under {usage.systems:,} different system prompts; {percent(unattended)} of {usage.events:,} requests "
            "name neither an end user nor a conversation."
        ),
        evidence={
            "persona_share": share,
            "texts": usage.texts,
            "systems": usage.systems,
            "unattended_share": unattended,
            "events": usage.events,
        },
    )
