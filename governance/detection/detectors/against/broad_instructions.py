"""Asks about unrelated subjects in ever-new words.

An instruction set covers everything: code, history, recipes, sums, and hardly two of its items begin alike. A product
keeps to its subject, whatever it says it is for. How far prompts lie apart is the mean distance between two of a
sample, in parts of a built-in reference, that of unrelated texts; no other customers are compared.
"""

from typing import Final

from governance.detection.curves import Figure, content_strength, full_points
from governance.detection.finding import Family, Finding, name_sample, percent
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.CONTENT
VERSION: Final = 3
WEIGHT: Final = full_points("broad_instructions")
HARMLESS: Final = "A chat for everybody is asked about everything as well."

FIGURES: Final[dict[str, Figure]] = {
    "openings": lambda usage: usage.openings,
    "topic_entropy": lambda usage: usage.topic_entropy,
    "breadth": lambda usage: usage.breadth,
}


def detect(usage: AccountUsage) -> Finding | None:
    """Strength grows with the variety of first words, of subjects and of wording."""
    if usage.breadth is None:
        return None
    return Finding(
        strength=content_strength("broad_instructions", FIGURES, usage),
        sentence=(
            f"About {usage.prompts:,} of {usage.texts:,} prompts differ. Of 30 first prompts of conversations, "
            f"about {usage.openings or 0:.0f} begin with different words. The {name_sample('prompts', usage.sample)} "
            f"are on average {percent(min(1.0, usage.breadth))} as varied as unrelated texts (built-in reference)."
        ),
        evidence={
            "texts": usage.texts,
            "prompts": usage.prompts,
            "openings": usage.openings,
            "topic_entropy": usage.topic_entropy,
            "breadth": usage.breadth,
            "prompts_sampled": len(usage.sample),
        },
    )
