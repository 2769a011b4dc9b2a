"""Works at machine pace.

No night, no lunch, no weekend: single requests spread evenly over all hours of the day, or hundreds within
one hour up to the rate limit. Ordinary clients run batches as well, so this never counts for much.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.RHYTHM
VERSION: Final = 2
WEIGHT: Final = 12
HARMLESS: Final = "Nightly batches, queues and customers in all time zones have this pace too."


def detect(
    usage: AccountUsage,
    *,
    least_events: int = 60,
    flat: float = 0.85,
    burst: int = 100,
    most_limited: float = 0.02,
) -> Finding | None:
    """Strength is the greatest of flatness over the day, the busiest hour and the share of rate-limited
    requests.
    """
    if usage.events < least_events:
        return None
    seen = {
        f"are spread almost evenly over 24 hours ({percent(usage.clock_flatness)}, where 100 % is perfectly even)": (
            ramp(usage.clock_flatness, flat, 0.98) * ramp(usage.active_days, 2, 6)
        ),
        f"came in bursts of up to {usage.busiest_hour:,} per hour": ramp(usage.busiest_hour, burst / 3, burst),
        f"hit the rate limit {'once' if usage.rate_limited == 1 else f'{usage.rate_limited:,} times'}": (
            ramp(usage.rate_limited / usage.events, most_limited / 2, most_limited)
        ),
    }
    strongest = max(seen, key=seen.__getitem__)
    return Finding(
        strength=seen[strongest] * ramp(usage.unattended_share, 0.3, 0.9),
        sentence=f"Its {usage.events:,} requests {strongest}.",
        evidence={
            "busiest_hour": usage.busiest_hour,
            "clock_flatness": usage.clock_flatness,
            "rate_limited": usage.rate_limited,
            "events": usage.events,
        },
    )
