"""Gets far more out than it puts in.

A harvest pays for output: short questions, long answers. The account's ratio of output to input tokens is
compared with that of others who use the same model in the same manner, because a long answer is usual on a reasoning
model and rare on others.
"""

from typing import Final

from governance.risk.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.SHAPE
VERSION: Final = 1
WEIGHT: Final = 18
# Nobody has more than all; that a model has few users so far is no reason to say so.
MOST_SAID: Final = 0.99
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
    peers = f"{usage.ratio_peers:,} like users" if usage.ratio_peers else "the users"
    return Finding(
        strength=strength,
        sentence=(
            f"Half of its answers are over {usage.median_ratio:.1f} times as long as the question, more than "
            f"{percent(min(usage.ratio_percentile, MOST_SAID))} of {peers} of {usage.main_model} get."
        ),
        evidence={
            "median_ratio": usage.median_ratio,
            "ratio_percentile": usage.ratio_percentile,
            "ratio_peers": usage.ratio_peers,
            "median_output": usage.median_output,
            "model": usage.main_model,
        },
    )
