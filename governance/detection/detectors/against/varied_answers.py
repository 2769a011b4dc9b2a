"""Samples with randomness, one question at a time.

Data makers want variety: a raised temperature or several answers to each question, set once and never
changed, on requests that stand alone. Work that needs one right answer is sent at low temperature; people
chatting come in conversations.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.SHAPE
VERSION: Final = 1
WEIGHT: Final = 26
HARMLESS: Final = (
    "Writers of texts, names and test data raise the temperature too, under one system prompt for one job."
)


def detect(usage: AccountUsage, *, least_events: int = 25, much: int = 120, few_variants: int = 8) -> Finding | None:
    """Strength grows with the share of such requests and their number; several answers a question count for
    more.
    """
    if usage.events < least_events or usage.varied_share <= 0.1:
        return None
    several = ramp(usage.mean_n, 1.0, 4.0)
    strength = (
        ramp(usage.varied_share, 0.1, 0.6)
        * (0.65 + 0.35 * several)
        * (0.4 + 0.6 * ramp(usage.events, least_events, much))
        * (1 - 0.5 * usage.system_share)
        * ramp(usage.parameter_sets, 3 * few_variants, few_variants)
    )
    settings = "the same settings" if usage.parameter_sets == 1 else f"{usage.parameter_sets} sets of settings"
    answers = f", {usage.mean_n:.1f} answers per request on average" if usage.mean_n > 1 else ""
    return Finding(
        strength=strength,
        sentence=(
            f"{percent(usage.varied_share)} of {usage.events:,} requests stand alone and sample with "
            f"randomness{answers}, with {settings} throughout."
        ),
        evidence={
            "varied_share": usage.varied_share,
            "mean_n": usage.mean_n,
            "events": usage.events,
            "parameter_sets": usage.parameter_sets,
        },
    )
