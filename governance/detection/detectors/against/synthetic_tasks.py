"""Has the model generate tasks or questions.

Instruction sets are grown by a model: it is shown a few tasks and asked for many new ones (Self-Instruct),
for a harder rewriting of a given prompt (Evol-Instruct), or for questions and answers about a document.
Such requests make up most of the traffic of an account that grows a set.
"""

from typing import Final

from governance.detection.curves import Figure, content_strength, full_points
from governance.detection.finding import Family, Finding, percent
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.CONTENT
VERSION: Final = 2
WEIGHT: Final = full_points("synthetic_tasks")
HARMLESS: Final = (
    "Teachers, quiz makers and testers generate tasks and examples too, usually within one subject or product."
)

FIGURES: Final[dict[str, Figure]] = {
    "making_share": lambda usage: usage.making_share,
    "about_making_share": lambda usage: usage.about_making_share,
    "concept_making": lambda usage: usage.concepts.get("making"),
    "marker_training": lambda usage: usage.marker_share("training"),
}


def detect(usage: AccountUsage) -> Finding | None:
    """Strength grows with the share of prompts that ask for tasks, for rewritten tasks or for question-answer pairs,
    speak of training a model, or lie nearest to examples of such requests.
    """
    shares = {
        "new tasks": usage.marker_share("task_generation"),
        "rewritten, harder tasks": usage.marker_share("evolution"),
        "questions with answers": usage.marker_share("synthetic_qa"),
    }
    what = " and ".join(name for name, part in shares.items() if part > usage.making_share / 4) or "tasks"
    nearest = usage.concepts.get("making", 0.0)
    return Finding(
        strength=content_strength("synthetic_tasks", FIGURES, usage),
        sentence=(
            f"{percent(usage.making_share)} of {usage.texts:,} prompts ask the model to generate {what}. "
            f"{percent(usage.about_making_share)} ask for this, for a role or a rating, or speak of "
            f"training, and {percent(nearest)} are most like examples of such requests."
        ),
        evidence={
            "making_share": usage.making_share,
            "about_making_share": usage.about_making_share,
            "concept_making": nearest,
            "texts": usage.texts,
            **{
                f"marker_{n}": usage.marker_share(n)
                for n in ("task_generation", "evolution", "synthetic_qa", "training")
            },
        },
    )
