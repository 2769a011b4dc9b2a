"""Merge two campaigns without losing what was asked of the leads about either."""

from datetime import datetime

from governance.campaigns.models import Campaign
from governance.campaigns.regrouping import merge_campaigns
from governance.platform.transactions import retried_transaction
from governance.review.models import Case, InboxItem, Step
from governance.review.steps import add_step
from governance.staff.models import User


@retried_transaction
def merge_with_cases(into: Campaign, other: Campaign, *, reason: str, by: User, now: datetime) -> Campaign:
    """Move the members of `other` to `into`, and close `other`, whose case ends with the next search. Where that case
    is escalated, the case of `into` is from now on. Return `into` as it is now. Raises RegroupingError.
    """
    kept = merge_campaigns(into, other, reason=reason, by=by.actor, now=now)
    cases = Case.objects.select_for_update(of=("self",)).filter(status=Case.Status.OPEN, campaign__in=[into, other])
    own = {case.campaign_id: case for case in cases.order_by("pk")}
    asked, staying = own.get(other.pk), own.get(into.pk)
    if asked is not None and asked.escalated_at is not None and staying is not None and staying.escalated_at is None:
        _move_question(asked, staying, by=by, now=now)
    return kept


def _move_question(asked: Case, staying: Case, *, by: User, now: datetime) -> None:
    Case.objects.filter(pk=staying.pk).update(
        escalated_at=asked.escalated_at,
        escalated_by=asked.escalated_by,
        escalated_because=asked.escalated_because,
    )
    InboxItem.objects.filter(case=asked, kind=InboxItem.Kind.ESCALATED).update(case=staying)
    text = f"Asked about the campaign that is merged into this one: {asked.escalated_because}"
    add_step(staying, Step.Kind.ESCALATED, by=by.actor, now=now, text=text, details={"because": text})
