"""Sends prompts from a known corpus.

Public instruction sets, collections of questions and leaked prompt lists are asked again to get another model's
answers. They are recognised by their runs of four words, so that a wrapper around them, another order or a part of them
hides nothing. Everyday words come in any text; it takes much in common.
"""

from typing import Final

from governance.detection.finding import Family, Finding, name_sample, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.CONTENT
VERSION: Final = 2
WEIGHT: Final = 30
HARMLESS: Final = "A teacher works through a published collection, a researcher repeats somebody's experiment."


def detect(
    usage: AccountUsage, *, least_texts: int = 20, ordinary_share: float = 0.15, full_share: float = 0.6
) -> Finding | None:
    """Strength grows with the share of its runs of words that are in the corpus."""
    share = usage.facts.corpus_share
    if usage.texts < least_texts or share <= ordinary_share:
        return None
    return Finding(
        strength=ramp(share, ordinary_share, full_share) * (1 - max(usage.end_user_share, usage.conversation_share)),
        sentence=(
            f"{percent(share)} of the four-word runs {name_sample('in its prompts', usage.shingles)} also occur in "
            f"“{usage.facts.corpus}”."
        ),
        evidence={
            "corpus": usage.facts.corpus,
            "corpus_share": share,
            "texts": usage.texts,
            "runs_sampled": len(usage.shingles),
        },
    )
