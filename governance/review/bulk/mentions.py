"""What the history of a case says of decisions that were made about many accounts at once."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, F, OuterRef, QuerySet, Subquery

from governance.review.models import BulkTarget, Decision, Step


class BulkMention(NamedTuple):
    """A decision on a case was made with those on so many others."""

    bulk: UUID
    others: int


def with_bulk(decisions: QuerySet[Decision]) -> QuerySet[Decision]:
    """Add to decisions with which bulk decision each was made, and how many accounts that decided about."""
    made = BulkTarget.objects.filter(bulk=OuterRef("bulk_target__bulk"), decision__isnull=False)
    number = made.order_by().values("bulk").annotate(number=Count("pk")).values("number")
    return decisions.annotate(bulk=F("bulk_target__bulk"), decided_in_bulk=Subquery(number))


def find_bulk_mentions(decisions: Sequence[Decision], steps: Sequence[Step]) -> dict[int, BulkMention]:
    """Return, by the steps that say that the case was decided, with how many others it was.

    Args:
        decisions: those on the case, read by `with_bulk`.
    """
    made = {
        one.decided_at: BulkMention(bulk, getattr(one, "decided_in_bulk", 1) - 1)
        for one in decisions
        if (bulk := getattr(one, "bulk", None)) is not None
    }
    decided = (step for step in steps if step.kind == Step.Kind.DECIDED)
    return {step.pk: made[step.at] for step in decided if step.at in made}
