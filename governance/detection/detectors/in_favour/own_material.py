"""Works on its own material.

Translation, tagging, summaries, extraction, code of a project, questions about given documents: one instruction, ever
another document. What comes back is worth little to a copy of the model.
"""

from typing import Final

from governance.detection.curves import Figure, content_strength, full_points
from governance.detection.finding import Family, Finding, percent
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.HARMLESS
VERSION: Final = 1
WEIGHT: Final = -full_points("own_material")
HARMLESS: Final = "This is evidence for the account; a corpus of documents can be labelled for training too."

FIGURES: Final[dict[str, Figure]] = {
    "work_share": lambda usage: usage.work_share,
    "concept_docwork": lambda usage: usage.concepts.get("docwork"),
    "concept_code": lambda usage: usage.concepts.get("code"),
    "top_template_share": lambda usage: usage.top_template_share,
}


def detect(usage: AccountUsage) -> Finding | None:
    """Strength grows with the share of such work and with how much of it stands under one template."""
    return Finding(
        strength=content_strength("own_material", FIGURES, usage),
        sentence=(
            f"{percent(usage.work_share)} of {usage.texts:,} prompts classify, translate, summarise, extract or "
            f"ask about given text; {percent(usage.top_template_share)} share one prompt template."
        ),
        evidence={
            "texts": usage.texts,
            "work_share": usage.work_share,
            "concept_docwork": usage.concepts.get("docwork"),
            "concept_code": usage.concepts.get("code"),
            "top_template_share": usage.top_template_share,
        },
    )
