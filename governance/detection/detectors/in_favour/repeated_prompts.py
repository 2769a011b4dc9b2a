"""Repeats its prompts.

A harvest wants no answer twice. Products meet the same questions over and over and keep what they share in
the cache.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.HARMLESS
VERSION: Final = 2
WEIGHT: Final = -8
HARMLESS: Final = "This is evidence for the account; repeats can be mixed in."


def detect(usage: AccountUsage, *, least_texts: int = 20, ordinary_share: float = 0.15) -> Finding | None:
    """Strength grows with the share of repeated prompts and of cached input, at one answer a question."""
    share = max(usage.repeat_share if usage.texts >= least_texts else 0.0, usage.cached_share)
    if share <= ordinary_share or usage.mean_n > 1.5 or usage.making_share > 0.2:
        return None
    return Finding(
        strength=ramp(share, ordinary_share, 0.7) * ramp(usage.hot_share, 0.9, 0.3),
        sentence=(
            f"About {percent(usage.repeat_share)} of {usage.texts:,} prompts were sent before, and "
            f"{percent(usage.cached_share)} of {usage.input_tokens:,} input tokens were cached."
        ),
        evidence={
            "repeat_share": usage.repeat_share,
            "texts": usage.texts,
            "cached_share": usage.cached_share,
            "input_tokens": usage.input_tokens,
        },
    )
