"""How long rows of a kind are kept, for several rules. Pure."""

from typing import Final

from governance.privacy.rule import Does, Ends

# The task of governance/privacy/retention.py.
HERE: Final = "apply_retention"
ACCOUNT: Final = "as long as the account"
_PROFILE_DAYS: Final = 400


def with_event_days(since: str) -> Ends:
    return Ends(90, since, "drop_old_usage", "EVENT_DAYS")


def with_profiles(since: str, *, later: int = 0) -> Ends:
    """As long as profiles; `later` are days until what a row sums up is over."""
    return Ends(_PROFILE_DAYS + later, since, "drop_old_usage", "PROFILE_DAYS")


def with_samples(since: str) -> Ends:
    """As long as profiles, by this room's task: samples are taken from profiles."""
    return Ends(_PROFILE_DAYS, since, HERE, "PROFILE_DAYS")


def with_texts(since: str) -> Ends:
    return Ends(1_095, since, HERE, "CASE_TEXT_DAYS", Does.REPLACE_TEXTS)


def by_expiry(since: str, days: float) -> Ends:
    """By a member `expiry` of the model: governance/platform/expiry.py."""
    return Ends(days, since, "delete_expired_rows")
