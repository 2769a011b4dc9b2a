"""Decide when an account that already had a decision gets a new case. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

WORSE_BY = 10
QUIET_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class LastDecision:
    """The last decision about an account: the score it was made on, and when."""

    score: int
    decided_at: datetime


def needs_case(score: int, *, earlier: LastDecision | None, access_denied: bool, now: datetime) -> bool:
    """Return True if a score at or above the review line needs a case.

    1. An account whose access is denied, by whatever restriction, has none: there is nothing left to stop.
    2. One that was never decided about has a case.
    3. A score that has become clearly worse than the one decided on has one at once.
    4. Otherwise the decision stands for a fortnight, so that nobody decides the same thing every day.
    """
    if access_denied:
        return False
    if earlier is None:
        return True
    if score >= earlier.score + WORSE_BY:
        return True
    return now - earlier.decided_at >= QUIET_FOR


def campaign_needs_case(
    score: int,
    *,
    earlier: LastDecision | None,
    was_dismissed: bool,
    new_members: int,
    members_left: int,
    now: datetime,
) -> bool:
    """Return True if a campaign that shows a harvest needs a case.

    1. Where no member is left who has access and was not left out, there is nothing to decide.
    2. One that was never decided about has a case.
    3. Members who joined since the decision are proposed at once, unless the campaign was dismissed.
    4. Otherwise the rules for accounts count.

    Args:
        new_members: those with access who joined since the last decision about the campaign.
        members_left: those with access whom no decision left out.
    """
    if not members_left:
        return False
    if earlier is None:
        return True
    if new_members and not was_dismissed:
        return True
    return needs_case(score, earlier=earlier, access_denied=False, now=now)


def is_materially_worse(
    score: int, families: frozenset[str], *, then_score: int, then_families: frozenset[str]
) -> bool:
    """Whether evidence goes clearly beyond what staff acted on: ten points more, or a kind of evidence that is new."""
    return score >= then_score + WORSE_BY or not families <= then_families
