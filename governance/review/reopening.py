"""When an account that was decided about before comes back into the queue. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

WORSE_BY = 10
QUIET_FOR = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Earlier:
    """The last decision about an account: the score it was made on, when, and whether it denies access still."""

    score: int
    decided_at: datetime
    access_denied: bool


def deserves_a_case(score: int, *, earlier: Earlier | None, now: datetime) -> bool:
    """Whether a score that the policy wants looked at needs a person again.

    1. Somebody never decided about has a case.
    2. Somebody whose access is denied has none: there is nothing left to stop.
    3. A score that has become clearly worse than the one decided on has one at once.
    4. Otherwise the decision stands for a fortnight, so that nobody decides the same thing every day.
    """
    if earlier is None:
        return True
    if earlier.access_denied:
        return False
    if score >= earlier.score + WORSE_BY:
        return True
    return now - earlier.decided_at >= QUIET_FOR


def is_materially_worse(
    score: int, families: frozenset[str], *, then_score: int, then_families: frozenset[str]
) -> bool:
    """Whether evidence goes clearly beyond what staff acted on: ten points more, or a kind of evidence that is new."""
    return score >= then_score + WORSE_BY or not families <= then_families
