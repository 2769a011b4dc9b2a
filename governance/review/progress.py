"""How far a decision about many accounts has been applied, or undone."""

from typing import NamedTuple

from governance.restrictions.models import Restriction
from governance.review.decision_targets import (
    accounts_to_restrict,
    cases_to_close,
    cases_to_close_again,
    cases_to_reopen,
    decisions_back_in_force,
    restrictions_to_end,
)
from governance.review.decision_wording import count_campaign_accounts
from governance.review.models import Decision


class BatchProgress(NamedTuple):
    """How far a decision about many accounts has been applied: `done` of `total`, and what is counted."""

    done: int
    total: int
    what: str


def _is_followed(decision: Decision) -> bool:
    """Return True if another decision about the account was made later and was not undone.

    A decision on the case of a campaign goes on: what follows counts account by account.
    """
    return not decision.is_about_campaign and Decision.objects.not_undone().after(decision).exists()


def progress_of(decision: Decision) -> BatchProgress | None:
    """Return how far a decision has been applied, or undone, or None if nothing is left to do, or another followed."""
    if not decision.is_unfinished or _is_followed(decision):
        return None
    return _progress_of_applying(decision) if decision.undone_at is None else _progress_of_undoing(decision)


def _progress_of_applying(decision: Decision) -> BatchProgress | None:
    if left := accounts_to_restrict(decision).count():
        total = count_campaign_accounts(decision)
        return BatchProgress(total - left, total, "accounts restricted")
    if left := restrictions_to_end(decision).count():
        ended = Restriction.objects.filter(superseded_by=decision.origin).count()
        return BatchProgress(ended, ended + left, "earlier restrictions ended")
    if left := cases_to_close(decision).count():
        closed = decision.resolved_cases.count()
        return BatchProgress(closed, closed + left, "open cases closed")
    if left := cases_to_reopen(decision).count():
        return BatchProgress(0, left, "cases reopened")
    return None


def _progress_of_undoing(decision: Decision) -> BatchProgress | None:
    ours = Restriction.objects.filter(origin=decision.origin)
    live = ours.filter(ended_at=None).count()
    ended = ours.filter(ending=Restriction.Ending.UNDONE).count()
    if superseded := Restriction.objects.filter(superseded_by=decision.origin).count():
        what = f"restrictions ended, {superseded:,} earlier ones still to be restored"
        return BatchProgress(ended, ended + live, what)
    if live:
        return BatchProgress(ended, ended + live, "restrictions ended")
    if left := cases_to_reopen(decision).count():
        return BatchProgress(0, left, "cases reopened")
    left = sum(cases_to_close_again(decision, one).count() for one in decisions_back_in_force(decision))
    return BatchProgress(0, left, "cases closed again") if left else None
