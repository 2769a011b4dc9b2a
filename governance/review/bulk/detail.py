"""The page of a decision about many accounts, one query object for the whole page."""

from collections import Counter
from datetime import datetime

from django.utils.functional import cached_property

from governance.review.bulk.actions import can_all_be_undone
from governance.review.models import BulkDecision, BulkTarget

State = BulkTarget.State


class BulkDecisionDetail:
    """A bulk decision with all its accounts, in one query."""

    def __init__(self, bulk: BulkDecision, *, now: datetime) -> None:
        self.bulk = bulk
        self.now = now

    @cached_property
    def targets(self) -> list[BulkTarget]:
        """Those that something is to be said of first: not undone, then skipped, then the others."""
        in_full = self.bulk.targets.select_related("account__organisation", "decision")
        said_first = {State.KEPT: 0, State.SKIPPED: 1}
        by_name = in_full.order_by("account__external_id", "pk")
        return sorted(by_name, key=lambda target: said_first.get(State(target.state), 2))

    @cached_property
    def counts(self) -> Counter[str]:
        return Counter(target.state for target in self.targets)

    @property
    def total(self) -> int:
        return len(self.targets)

    @property
    def decided(self) -> int:
        """How many decisions it has made, undone or not."""
        return sum(self.counts[state] for state in (State.DECIDED, State.UNDONE, State.KEPT))

    @property
    def skipped(self) -> int:
        return self.counts[State.SKIPPED]

    @property
    def undone(self) -> int:
        return self.counts[State.UNDONE]

    @property
    def kept(self) -> int:
        return self.counts[State.KEPT]

    @property
    def is_at_work(self) -> bool:
        """Whether a worker decides, or undoes, still."""
        return self.left > 0

    @property
    def left(self) -> int:
        return self.counts[self.bulk.state_left]

    @property
    def to_do(self) -> int:
        """How many accounts the worker has or had to reach: all, and to undo it those that were decided."""
        return self.total if self.bulk.undone_at is None else self.decided

    @property
    def done(self) -> int:
        return self.to_do - self.left

    @property
    def is_undoable(self) -> bool:
        return can_all_be_undone(self.bulk, self.targets, now=self.now) and self.decided + self.left > 0
