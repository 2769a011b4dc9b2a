"""Gets answers much longer than its prompts.

A harvest pays for output: short questions, long answers. The account's ratio of output to input tokens is
compared with that of others who use the same model in the same manner, because a long answer is usual on a reasoning
model and rare on others. While too few of these are measured, a built-in reference stands in, one for reasoning models
and one for others, and no customers are compared.
"""

from typing import Final

from governance.detection.finding import Family, Finding, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.SHAPE
VERSION: Final = 2
WEIGHT: Final = 18
HARMLESS: Final = "Writing from a brief, and translation of short phrases, have the same proportion."


def detect(usage: AccountUsage, *, least_events: int = 25, long_answer: int = 300) -> Finding | None:
    """Strength grows from the 90th percentile of peers on, for answers that are long in themselves and
    stand alone.
    """
    if usage.events < least_events or usage.ratio_percentile is None or usage.ratio_percentile < 0.9:
        return None
    strength = (
        ramp(usage.ratio_percentile, 0.85, 1.0)
        * ramp(usage.median_output, 0, long_answer)
        * ramp(usage.standalone_share, 0.3, 0.9)
        * (0.4 + 0.6 * ramp(usage.events, least_events, 120))
    )
    return Finding(
        strength=strength,
        sentence=(
            f"Half of its answers are at least about {usage.median_ratio:.1f} times as long as their prompts. "
            f"{_comparison_sentence(usage, usage.ratio_percentile)}"
        ),
        evidence={
            "median_ratio": usage.median_ratio,
            "ratio_percentile": usage.ratio_percentile,
            "ratio_peers": usage.ratio_peers,
            "median_output": usage.median_output,
            "model": usage.main_model,
        },
    )


def _comparison_sentence(usage: AccountUsage, place: float) -> str:
    """With how many it was compared. By its place at least that share of them have no greater proportion."""
    if not usage.ratio_peers:
        return (
            f"On {usage.main_model} that is in the top tenth of a built-in reference; too few comparable "
            "customers were measured."
        )
    least, accounts = int(place * usage.ratio_peers + 1e-9), "account" if usage.ratio_peers == 1 else "accounts"
    compared = f"{usage.ratio_peers:,} comparable {accounts}"
    return f"On {usage.main_model} that is no less than for at least {least:,} of {compared}."
