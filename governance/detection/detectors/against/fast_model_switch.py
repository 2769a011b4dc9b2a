"""Moves to a new model at once.

Harvests follow the best teacher: once a new model is out, most of the traffic goes there within days.
Products move slowly and in part, after tests.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.RHYTHM
VERSION: Final = 1
WEIGHT: Final = 26
HARMLESS: Final = "Enthusiasts and evaluators try a new model on its first day."


def detect(
    usage: AccountUsage, *, least_events: int = 15, slow_share: float = 0.25, fast_share: float = 0.55
) -> Finding | None:
    """Strength grows with the new model's share since its first use, for unattended traffic."""
    if usage.pivot_events < least_events or usage.pivot_share <= slow_share:
        return None
    strength = (
        ramp(usage.pivot_share, slow_share, fast_share)
        * (0.4 + 0.6 * ramp(usage.pivot_events, least_events, 40))
        * ramp(usage.unattended_share, 0.2, 0.8)
        * (1 - 0.4 * usage.settled_share)
    )
    return Finding(
        strength=strength,
        sentence=(
            f"Since its first request to another model {percent(usage.pivot_share)} of its "
            f"{usage.pivot_events:,} requests use it."
        ),
        evidence={"pivot_share": usage.pivot_share, "pivot_events": usage.pivot_events},
    )
