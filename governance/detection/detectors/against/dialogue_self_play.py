"""Plays both sides of a dialogue.

Dialogue sets are made by letting a model talk to itself: one request plays the user, the next the
assistant, each instructed in its system prompt to stay in its part (CAMEL, UltraChat). Roles change from dialogue
to dialogue, no person takes part.
"""

from typing import Final

from governance.detection.curves import Figure, content_strength, full_points
from governance.detection.finding import Family, Finding, percent
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.CONTENT
VERSION: Final = 3
WEIGHT: Final = full_points("dialogue_self_play")
HARMLESS: Final = "Games, companions and language tutors ask the model to play a role, for real users."

FIGURES: Final[dict[str, Figure]] = {"marker_persona": lambda usage: usage.marker_share("persona")}


def detect(usage: AccountUsage) -> Finding | None:
    """Strength grows with the share of prompts that assign a part to play."""
    share = usage.marker_share("persona")
    return Finding(
        strength=content_strength("dialogue_self_play", FIGURES, usage),
        sentence=(
            f"{percent(share)} of {usage.texts:,} prompts give the model a role to play, under {usage.systems:,} "
            "different system prompts."
        ),
        evidence={"persona_share": share, "texts": usage.texts, "systems": usage.systems},
    )
