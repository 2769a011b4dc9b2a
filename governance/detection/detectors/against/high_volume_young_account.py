"""New account with high volume.

Accounts for a harvest are opened for it: days after sign-up they run at full volume. A product grows into
its traffic.
"""

from typing import Final

from governance.detection.finding import Family, Finding, days, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.IDENTITY
VERSION: Final = 2
WEIGHT: Final = 10
HARMLESS: Final = "Some customers bring their whole traffic with them when they move from another provider."


def detect(
    usage: AccountUsage,
    *,
    old_days: float = 45,
    new_days: float = 10,
    few_a_day: float = 5,
    many_a_day: float = 25,
) -> Finding | None:
    """Strength grows with youth at the first request of the window and with unattended requests a day."""
    if usage.age_days is None or usage.age_days >= old_days or not usage.active_days:
        return None
    a_day = usage.total_events / usage.active_days * usage.standalone_share
    return Finding(
        strength=ramp(usage.age_days, old_days, new_days) * ramp(a_day, few_a_day, many_a_day),
        sentence=(
            f"First assessed request {days(usage.age_days)} after sign-up; about "
            f"{a_day:.0f} stand-alone requests per active day, over {days(usage.active_days)}."
        ),
        evidence={"age_days": usage.age_days, "requests_a_day": a_day, "active_days": usage.active_days},
    )
