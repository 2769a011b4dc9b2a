"""Asks repeatedly for written-out reasoning.

Training a model to reason takes traces: questions answered with every step of the thinking. Collecting them
shows as the same request for steps around ever-new questions, in most of an account's traffic, with no
person at the other end (Orca, s1 and LIMO were made so; 817 to 1,000 traces were enough for the latter
two).
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.CONTENT
VERSION: Final = 2
WEIGHT: Final = 34
HARMLESS: Final = (
    "Evaluation harnesses and coding agents carry such a phrase in their fixed prompt, and tutors ask for steps."
)


def detect(
    usage: AccountUsage, *, least_texts: int = 20, ordinary_share: float = 0.1, full_share: float = 0.6
) -> Finding | None:
    """Strength grows with the share of such prompts beyond what ordinary customers show; settings that make
    answers repeatable, as a measurement needs them, halve it.
    """
    share = usage.marker_share("reasoning")
    if usage.texts < least_texts or share <= ordinary_share:
        return None
    alone = ramp(usage.standalone_share, 0.4, 0.95)
    strength = ramp(share, ordinary_share, full_share) * alone * (1 - 0.5 * usage.settled_share)
    return Finding(
        strength=strength,
        sentence=(
            f"{percent(share)} of {usage.texts:,} prompts ask for written-out reasoning; "
            f"{percent(usage.standalone_share)} of {usage.events:,} requests stand alone, without conversation or end "
            "user."
        ),
        evidence={
            "reasoning_share": share,
            "texts": usage.texts,
            "standalone_share": usage.standalone_share,
            "events": usage.events,
        },
    )
