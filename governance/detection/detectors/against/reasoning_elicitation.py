"""Asks repeatedly for written-out reasoning.

Training a model to reason takes traces: questions answered with every step of the thinking. Collecting them
shows as the same request for steps around ever-new questions, in most of an account's traffic, with no
person at the other end (Orca, s1 and LIMO were made so; 817 to 1,000 traces were enough for the latter
two).
"""

from typing import Final

from governance.detection.curves import Figure, content_strength, full_points
from governance.detection.finding import Family, Finding, percent
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.CONTENT
VERSION: Final = 3
WEIGHT: Final = full_points("reasoning_elicitation")
HARMLESS: Final = (
    "Evaluation harnesses and coding agents carry such a phrase in their fixed prompt, and tutors ask for steps."
)

FIGURES: Final[dict[str, Figure]] = {
    "marker_reasoning": lambda usage: usage.marker_share("reasoning"),
    "reasoned_item_share": lambda usage: usage.reasoned_item_share,
    "concept_reason": lambda usage: usage.concepts.get("reason"),
    "exercise_share": lambda usage: usage.exercise_share,
}


def detect(usage: AccountUsage) -> Finding | None:
    """Strength grows with the share of such prompts, above all of those without a person in them, and of exercises."""
    return Finding(
        strength=content_strength("reasoning_elicitation", FIGURES, usage),
        sentence=(
            f"Of {usage.texts:,} prompts, {percent(usage.marker_share('reasoning'))} ask for written-out reasoning, "
            f"{percent(usage.reasoned_item_share)} ask for it and mention no person, and "
            f"{percent(usage.exercise_share)} are exercises with figures."
        ),
        evidence={
            "reasoning_share": usage.marker_share("reasoning"),
            "reasoned_item_share": usage.reasoned_item_share,
            "concept_reason": usage.concepts.get("reason"),
            "exercise_share": usage.exercise_share,
            "texts": usage.texts,
        },
    )
