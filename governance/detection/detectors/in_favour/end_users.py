"""Serves end users of its own.

Requests that name end users, conversations that go on over several turns: a product with people in front of it. Names
alone prove nothing, since a new one can be made up for every request: people come back, and go on talking.
"""

from typing import Final

from governance.detection.finding import Family, Finding, percent, ramp
from governance.usage.account_usage import AccountUsage

FAMILY: Final = Family.HARMLESS
VERSION: Final = 3
WEIGHT: Final = -20
HARMLESS: Final = "This is evidence for the account; names of end users can be made up."


def detect(
    usage: AccountUsage, *, least_share: float = 0.3, most_each: float = 60, comes_back: float = 2.0
) -> Finding | None:
    """Strength grows with the share of requests in conversations or by end users, who each make a human number of
    them, and more than one.
    """
    share = max(usage.end_user_share, usage.conversation_share)
    people = max(usage.end_users, usage.conversations)
    if share <= least_share or not people:
        return None
    each = usage.events * share / people
    by_one = max(
        usage.events * usage.end_user_share / max(usage.end_users, 1),
        usage.events * usage.conversation_share / max(usage.conversations, 1),
    )
    return Finding(
        strength=(ramp(share, least_share, 0.9) * ramp(each, 4 * most_each, most_each) * ramp(by_one, 1.0, comes_back)),
        sentence=(
            f"Of {usage.events:,} requests {percent(usage.end_user_share)} name one of {usage.end_users:,} end users "
            f"and {percent(usage.conversation_share)} belong to one of {usage.conversations:,} conversations; on "
            f"average up to {by_one:.1f} requests each."
        ),
        evidence={
            "events": usage.events,
            "end_users": usage.end_users,
            "conversations": usage.conversations,
            "share": share,
            "each": each,
            "by_one": by_one,
        },
    )
