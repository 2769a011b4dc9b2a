"""Requests token probabilities for free text.

With the probabilities of the alternatives at each word a copy learns far more from an answer than its text
tells. Reading them for whole, free answers has few other uses; reading them for one-word labels has many.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.SHAPE
VERSION: Final = 2
WEIGHT: Final = 28
HARMLESS: Final = (
    "Classifiers and evaluation harnesses read probabilities as confidence, for one label or one letter at a time."
)


def detect(
    usage: AccountUsage, *, least_events: int = 20, label_tokens: int = 12, free_tokens: int = 60
) -> Finding | None:
    """Strength grows with the share of requests with probabilities and with the length of the answers."""
    if usage.events < least_events or usage.logprobs_share <= 0.05:
        return None
    length = ramp(usage.median_output, label_tokens, free_tokens)
    strength = ramp(usage.logprobs_share, 0.05, 0.5) * length * (0.4 + 0.6 * ramp(usage.top_logprobs, 0, 5))
    return Finding(
        strength=strength,
        sentence=(
            f"{percent(usage.logprobs_share)} of {usage.events:,} requests ask for token probabilities, up to "
            f"{usage.top_logprobs} alternatives per token; median answer {usage.median_output:.0f} tokens."
        ),
        evidence={
            "logprobs_share": usage.logprobs_share,
            "top_logprobs": usage.top_logprobs,
            "median_output": usage.median_output,
            "events": usage.events,
        },
    )
