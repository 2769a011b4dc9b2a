"""Sends complete tasks that are about nobody.

An item of an instruction set stands by itself: it opens with an imperative or ends as a full question, names no
person and no document of the customer's, and is followed by another on something else, which opens with another verb.
People in need write otherwise, and a product asks one thing of many documents.
"""

from typing import Final

from governance.detection.curves import Figure, content_strength, figures_that_count, full_points
from governance.detection.finding import Family, Finding, percent
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.CONTENT
VERSION: Final = 1
WEIGHT: Final = full_points("set_items")
HARMLESS: Final = "Exercises of a university and tests that somebody writes are complete tasks too."

FIGURES: Final[dict[str, Figure]] = {
    "item_share": lambda usage: usage.item_share,
    "item_openings": lambda usage: usage.item_openings,
    "concept_item": lambda usage: usage.concepts.get("item"),
    "given_share": lambda usage: usage.given_share,
}


def detect(usage: AccountUsage) -> Finding | None:
    """Strength grows with the share of such prompts, the variety of their first words, nearness to examples of tasks,
    and the share that speaks of something given.
    """
    return Finding(
        strength=content_strength("set_items", FIGURES, usage),
        sentence=_sentence(usage),
        evidence={
            "item_share": usage.item_share,
            "item_openings": usage.item_openings,
            "concept_item": usage.concepts.get("item"),
            "given_share": usage.given_share,
            "texts": usage.texts,
        },
    )


def _sentence(usage: AccountUsage) -> str:
    """The figures that count, that which gives most points first."""
    clauses = {
        "item_share": (
            f"{percent(usage.item_share)} of {usage.texts:,} prompts are complete tasks or questions that mention no "
            "person"
        ),
        "item_openings": (
            f"of 30 first prompts of conversations, about {usage.item_openings or 0:.1f} are such tasks and begin "
            "with different words"
        ),
        "concept_item": f"the likeness of its prompts to example tasks is {usage.concepts.get('item') or 0:.2f} of 1",
        "given_share": f"{percent(usage.given_share)} of {usage.texts:,} prompts speak of something given",
    }
    names = figures_that_count("set_items", FIGURES, usage) or ["item_share"]
    text = "; ".join(clauses[name] for name in names)
    return f"{text[0].upper()}{text[1:]}."
