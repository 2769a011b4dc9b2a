"""Serves people of its own.

Requests that name end users, conversations that go on over several turns: a product with people in front of
it.
"""

from typing import Final

from governance.risk.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.HARMLESS
VERSION: Final = 1
WEIGHT: Final = -20
HARMLESS: Final = "This is evidence for the account; names of end users can be made up."


def detect(usage: AccountUsage, *, least_share: float = 0.3, most_each: float = 60) -> Finding | None:
    """Strength grows with the share of requests in conversations or by end users, who each make a human
    number of them.
    """
    share = max(usage.end_user_share, usage.conversation_share)
    people = max(usage.end_users, usage.conversations)
    if share <= least_share or not people:
        return None
    each = usage.events * share / people
    return Finding(
        strength=ramp(share, least_share, 0.9) * ramp(each, 4 * most_each, most_each),
        sentence=(
            f"{percent(share)} of its requests belong to {usage.end_users:,} end users and "
            f"{usage.conversations:,} conversations, {each:.0f} requests to each."
        ),
        evidence={
            "end_users": usage.end_users,
            "conversations": usage.conversations,
            "share": share,
            "each": each,
        },
    )
