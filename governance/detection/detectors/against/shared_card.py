"""Shares a payment card with other accounts.

Many accounts on one card keep each below what would be noticed.
"""

from typing import Final

from governance.detection.finding import Family, Finding, ramp
from governance.usage.account_usage import AccountUsage
from governance.web.counts import pluralize

FAMILY: Final = Family.IDENTITY
VERSION: Final = 1
WEIGHT: Final = 18
HARMLESS: Final = "An agency pays for its clients, a company for its departments."


def detect(usage: AccountUsage, *, few: int = 1, many: int = 6) -> Finding | None:
    """Strength grows with the number of other accounts and the share of unattended requests."""
    others = usage.facts.card_accounts
    if others <= few:
        return None
    return Finding(
        strength=ramp(others, few, many) * ramp(usage.standalone_share, 0.1, 0.7),
        sentence=f"Its payment card also pays for {pluralize(others, 'other account')}.",
        evidence={"card_accounts": others, "standalone_share": usage.standalone_share},
    )
