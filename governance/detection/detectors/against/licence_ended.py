"""Licence to train has ended.

A licensed distiller does what its licence allows, and nothing follows from its score. From the day on which the licence
ended it is judged as everybody is. This says so, with the date, and gives no points: to have had a licence is no
evidence.
"""

from typing import Final

from governance.detection.finding import Family, Finding
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.IDENTITY
VERSION: Final = 1
WEIGHT: Final = 0
HARMLESS: Final = "The licence is being renewed, and the register does not say so yet."


def detect(usage: AccountUsage) -> Finding | None:
    """Full strength where a licence has ended and no other is in force."""
    ended_at = usage.facts.licence_ended_at
    if ended_at is None or usage.facts.licensed:
        return None
    return Finding(
        strength=1.0,
        sentence=f"Licence to train ended on {ended_at.day} {ended_at:%B %Y}.",
        evidence={"licence_ended_at": f"{ended_at:%Y-%m-%d}"},
    )
