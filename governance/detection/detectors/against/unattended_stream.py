"""Sends stand-alone requests without end users.

Recognised by metadata alone: requests without end user, conversation, tools, schema or short answer cap, in
numbers that no person types, all from one program. Alone it says little, since batch work looks the same. Somebody who
sits at the keyboard keeps a human tempo, and sleeps.
"""

from typing import Final

from governance.detection.finding import Family, Finding, days, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.SHAPE
VERSION: Final = 3
WEIGHT: Final = 12
HARMLESS: Final = "Batch translation, tagging and summaries run the same way."


def detect(
    usage: AccountUsage,
    *,
    least_events: int = 25,
    few_a_day: float = 5,
    many_a_day: float = 40,
    short_answer: int = 40,
    by_hand_an_hour: int = 15,
    most_at_night: float = 0.08,
) -> Finding | None:
    """Strength grows with the number of such requests a day; cold settings and short answers speak against
    it.
    """
    if usage.events < least_events or not usage.active_days:
        return None
    a_day = usage.total_events / usage.active_days * usage.standalone_share
    by_hand = (
        ramp(1.0 if usage.night_share is None else usage.night_share, most_at_night, most_at_night / 4)
        * ramp(usage.busiest_hour, 3 * by_hand_an_hour, by_hand_an_hour)
        * ramp(usage.active_days, 1, 4)
    )
    strength = (
        ramp(a_day, few_a_day, many_a_day)
        * ramp(usage.standalone_share, 0.5, 0.95)
        * (1 - usage.cold_share)
        * (1 - usage.short_cap_share)
        * (1 - usage.seeded_share)
        * (1 - 0.8 * by_hand)
        * ramp(usage.median_output, short_answer / 2, short_answer)
    )
    return Finding(
        strength=strength,
        sentence=(
            f"{percent(usage.standalone_share)} of {usage.events:,} requests stand alone: about {a_day:.0f} a day on "
            f"{days(usage.active_days)} with requests; median answer {usage.median_output:.0f} tokens."
        ),
        evidence={
            "events": usage.events,
            "active_days": usage.active_days,
            "standalone_share": usage.standalone_share,
            "requests_a_day": a_day,
            "median_output": usage.median_output,
            "cold_share": usage.cold_share,
            "night_share": usage.night_share,
        },
    )
