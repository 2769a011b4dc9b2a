"""Uses a pool of IP addresses.

One program seen at many addresses of several networks, with no end users to explain it, or at addresses
that accounts of other organisations use as well: both are ways around limits.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage
from governance.web.counts import pluralize

FAMILY: Final = Family.IDENTITY
VERSION: Final = 2
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
    also = f"; {pluralize(strangers, 'account')} of other organisations also came from them" if strangers else ""
    named = f"{percent(usage.end_user_share)} of its requests name" if usage.end_user_share else "no request names"
    return Finding(
        strength=max(spread, shared) * alone,
        sentence=(
            f"Its {usage.events:,} requests came from {pluralize(usage.addresses, 'address', 'addresses')} of "
            f"{pluralize(usage.networks, 'network')}"
            f"{also}; {named} an end user."
        ),
        evidence={
            "events": usage.events,
            "addresses": usage.addresses,
            "networks": usage.networks,
            "address_accounts": usage.facts.address_accounts,
            "end_user_share": usage.end_user_share,
        },
    )
