"""Reads like a data set.

Items of instruction sets have a tone of their own: complete, about no one in particular, on a subject of their own.
Along one direction of word vectors they lie apart from what customers ask. The account's first questions are placed
on it; what continues a conversation counts as ordinary at best. The higher half is looked at as well as all of them,
since a harvest can hide among ordinary traffic.
"""

from typing import Final

from governance.detection.curves import Figure, content_strength, full_points
from governance.detection.finding import Family, Finding, percent
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.CONTENT
VERSION: Final = 1
WEIGHT: Final = full_points("reads_like_a_data_set")
HARMLESS: Final = "A quiz site, a course\u2019s exercises, or people who try a model with single questions read so too."

# Means of few prompts are drawn to the mean of ordinary ones as if there were so many more of these.
ORDINARY_ADDED: Final = 6


def _shrink_to_ordinary(usage: AccountUsage, mean: float | None) -> float | None:
    return None if mean is None else mean * usage.reads / (usage.reads + ORDINARY_ADDED)


FIGURES: Final[dict[str, Figure]] = {
    "reads_mean": lambda usage: _shrink_to_ordinary(usage, usage.reads_mean),
    "reads_top_half": lambda usage: _shrink_to_ordinary(usage, usage.reads_top_half),
    "reads_top_quarter": lambda usage: _shrink_to_ordinary(usage, usage.reads_top_quarter),
    "reads_high_share": lambda usage: _shrink_to_ordinary(usage, usage.reads_high_share if usage.reads else None),
}


def detect(usage: AccountUsage) -> Finding | None:
    """Strength grows with the mean of all prompts, of the higher half and of the highest quarter, and with the share
    that lies a standard deviation above ordinary prompts.
    """
    if usage.reads_top_half is None:
        return None
    return Finding(
        strength=content_strength("reads_like_a_data_set", FIGURES, usage),
        sentence=(
            f"{percent(usage.reads_high_share)} of {usage.reads:,} prompts read like items of a data set: complete, "
            "and about no one in particular. The half that does so most lies on average "
            f"{usage.reads_top_half:+.1f} standard deviations from ordinary prompts."
        ),
        evidence={
            "reads": usage.reads,
            "reads_high_share": usage.reads_high_share,
            "reads_mean": usage.reads_mean,
            "reads_top_half": usage.reads_top_half,
            "reads_top_quarter": usage.reads_top_quarter,
        },
    )
