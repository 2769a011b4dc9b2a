"""Comes from a pool of addresses.

One program seen at many addresses of several networks, with no end users to explain it, or at addresses
that accounts of other organisations use as well: both are ways around limits.
"""

from typing import Final

from governance.risk.finding import Family, Finding, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.IDENTITY
VERSION: Final = 1
WEIGHT: Final = 18
HARMLESS: Final = "Cloud functions and office networks change addresses; a university's members share one."


def detect(
    usage: AccountUsage, *, few_networks: int = 2, many_networks: int = 6, least_events: int = 30
) -> Finding | None:
    """Strength grows with the networks it came from and the strangers at its addresses, where no end users
    are named.
    """
    if usage.events < least_events:
        return None
    strangers = usage.facts.address_accounts or 0
    spread, shared = ramp(usage.networks, few_networks, many_networks), ramp(strangers, 2, 12)
    alone = ramp(usage.standalone_share, 0.3, 0.9) * ramp(usage.end_user_share, 0.3, 0.0)
    if max(spread, shared) * alone == 0:
        return None
    also = f", which {strangers} accounts of other organisations use too" if strangers else ""
    return Finding(
        strength=max(spread, shared) * alone,
        sentence=(
            f"It came from {usage.addresses:,} addresses of {usage.networks:,} networks{also}, and names no end users."
        ),
        evidence={"addresses": usage.addresses, "networks": usage.networks, "address_accounts": strangers},
    )
