"""Has the model generate tasks or questions.

Instruction sets are grown by a model: it is shown a few tasks and asked for many new ones (Self-Instruct),
for a harder rewriting of a given prompt (Evol-Instruct), or for questions and answers about a document.
Such requests make up most of the traffic of an account that grows a set.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.CONTENT
VERSION: Final = 1
WEIGHT: Final = 38
HARMLESS: Final = (
    "Teachers, quiz makers and testers generate tasks and examples too, usually within one subject or product."
)


def detect(
    usage: AccountUsage, *, least_texts: int = 15, ordinary_share: float = 0.05, full_share: float = 0.35
) -> Finding | None:
    """Strength grows with the share of prompts that ask for tasks, for rewritten tasks or for question-
    answer pairs.
    """
    share = usage.making_share
    if usage.texts < least_texts or share <= ordinary_share:
        return None
    names = {
        "new tasks": usage.marker_share("task_generation"),
        "rewritten, harder tasks": usage.marker_share("evolution"),
        "questions with answers": usage.marker_share("synthetic_qa"),
    }
    what = " and ".join(name for name, part in names.items() if part > share / 4) or "tasks"
    return Finding(
        strength=ramp(share, ordinary_share, full_share) * (1 - usage.end_user_share),
        sentence=f"{percent(share)} of {usage.texts:,} prompts ask the model to generate {what}.",
        evidence={
            "making_share": share,
            "texts": usage.texts,
            **{f"marker_{n}": usage.marker_share(n) for n in ("task_generation", "evolution", "synthetic_qa")},
        },
    )
