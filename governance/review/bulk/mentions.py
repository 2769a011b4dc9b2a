"""What the history of a case says of decisions that were made about many accounts at once."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, F, Q

from governance.review.models import BulkTarget, Case, Step


class BulkMention(NamedTuple):
    """A decision on a case was made with those on so many others."""

    bulk: UUID
    others: int


def find_bulk_mentions(case: Case, steps: Sequence[Step]) -> dict[int, BulkMention]:
    """Return, by the steps that say that the case was decided, with how many others it was. One query at most."""
    decided_at = {step.at: step.pk for step in steps if step.kind == Step.Kind.DECIDED}
    if not decided_at:
        return {}
    has_decision = Q(bulk__targets__decision__isnull=False)
    ours = BulkTarget.objects.filter(decision__case=case, decision__decided_at__in=decided_at).order_by()
    counted = ours.annotate(at=F("decision__decided_at"), number=Count("bulk__targets", filter=has_decision))
    return {decided_at[at]: BulkMention(bulk, n - 1) for at, bulk, n in counted.values_list("at", "bulk", "number")}
