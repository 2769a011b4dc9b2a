"""Rotates a few prompt templates over new content.

To look less uniform, a harvest sets each question into one of a few prepared wrappings, by turns. That
leaves several wrappings in steady use side by side, none of them leading, each around ever-new and
unrelated payloads, where a product has one wrapping for one job.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.CONTENT
VERSION: Final = 2
WEIGHT: Final = 30
HARMLESS: Final = (
    "An application with several functions has a template for each; its content stays within its own subject."
)


def detect(
    usage: AccountUsage, *, least_texts: int = 30, broad: float = 0.55, most_wrappers: int = 40
) -> Finding | None:
    """Strength grows with the share of prompts in steady wrappings and falls with the lead of the first
    among them.
    """
    if usage.texts < least_texts or not 2 <= usage.steady_templates <= most_wrappers or usage.breadth is None:
        return None
    balance = ramp(usage.lead_share, 0.95, 0.6)
    ordinary = ramp(max(usage.work_share, usage.marker_share("benchmark")), 0.3, 0.8)
    strength = (
        ramp(usage.steady_share, 0.1, 0.5)
        * balance
        * ramp(usage.bare_share, 0.5, 0.95)
        * ramp(usage.breadth, broad - 0.15, broad)
        * ramp(usage.repeat_share, 0.6, 0.2)
        * (1 - ordinary)
    )
    return Finding(
        strength=strength,
        sentence=(
            f"{usage.steady_templates} templates cover {percent(usage.steady_share)} of {usage.texts:,} prompts, the "
            f"most common one {percent(usage.top_template_share)}; about {percent(1 - usage.repeat_share)} of all "
            "prompts differ from each other."
        ),
        evidence={
            "steady_templates": usage.steady_templates,
            "steady_share": usage.steady_share,
            "top_template_share": usage.top_template_share,
            "repeat_share": usage.repeat_share,
            "breadth": usage.breadth,
            "texts": usage.texts,
        },
    )
