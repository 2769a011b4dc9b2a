"""Rotates a few prompt templates over new content.

To look less uniform, a harvest sets each question into one of a few prepared wrappings, by turns. That
leaves several wrappings in steady use side by side, none of them leading, each around ever-new
and unrelated payloads, where a product has one wrapping for one job.
"""

from typing import Final

from governance.detection.curves import Figure, content_strength, full_points
from governance.detection.finding import Family, Finding, percent
from governance.usage.account_usage import AccountUsage
from governance.web.counts import pluralize

FAMILY: Final = Family.CONTENT
VERSION: Final = 3
WEIGHT: Final = full_points("rotating_wrappers")
HARMLESS: Final = (
    "An application with several functions has a template for each; its content stays within its own subject."
)

REPEATED: Final = 3
MOST_COUNTED: Final = 6


def _rotation(usage: AccountUsage) -> float:
    """Return how many templates are used repeatedly, up to six, times the share of prompts without the first."""
    repeated = sum(uses >= REPEATED for _, uses in usage.templates_used)
    return min(repeated, MOST_COUNTED) * (1 - usage.top_template_share)


FIGURES: Final[dict[str, Figure]] = {"rotation": _rotation}


def detect(usage: AccountUsage) -> Finding | None:
    """Strength grows with the number of templates in repeated use and falls with the lead of the first among them."""
    repeated = sum(uses >= REPEATED for _, uses in usage.templates_used)
    return Finding(
        strength=content_strength("rotating_wrappers", FIGURES, usage),
        sentence=(
            f"{pluralize(repeated, 'template')} {'is' if repeated == 1 else 'are'} used three times or more in "
            f"{usage.texts:,} prompts, the most common one for {percent(usage.top_template_share)}; about "
            f"{percent(1 - usage.repeat_share)} of all prompts differ from each other."
        ),
        evidence={
            "repeated_templates": repeated,
            "top_template_share": usage.top_template_share,
            "repeat_share": usage.repeat_share,
            "texts": usage.texts,
        },
    )
