"""Merge and split campaigns without losing what was asked of the leads about them."""

from collections.abc import Collection
from datetime import datetime

from governance.campaigns.models import Campaign
from governance.campaigns.regrouping import RegroupingError, merge_campaigns, split_campaign
from governance.platform.transactions import retried_transaction
from governance.review.holding import UNASSIGNED
from governance.review.inbox_items import withdraw
from governance.review.models import GIVEN_BACK, LONGEST_REASON, Case, InboxItem, Step
from governance.review.steps import add_step
from governance.staff.models import User
from governance.staff.roles import ESCALATED_TO


@retried_transaction
def merge_with_cases(into: Campaign, other: Campaign, *, reason: str, by: User, now: datetime) -> Campaign:
    """Move the members of `other` to `into`, and close `other`, whose case ends with the next search. What its case
    asks the leads, the case of `into` asks from then on. Return `into` as it is now.

    Raises RegroupingError, also where leads are asked and `by` is none of them, or where no open case could ask them.
    """
    own = _open_cases(into, other)
    _refuse_unless_lead(own.values(), by=by)
    asked, staying = own.get(other.pk), own.get(into.pk)
    if asked is not None and asked.escalated_at is not None:
        if staying is None:
            raise RegroupingError(
                "The leads are asked about the other campaign, and this one has no open case: merge it there."
            )
        _move_question(asked, staying, by=by, now=now)
    return merge_campaigns(into, other, reason=reason, by=by.actor, now=now)


@retried_transaction
def split_with_cases(
    campaign: Campaign, accounts: Collection[int], *, reason: str, by: User, now: datetime
) -> Campaign:
    """Move these members to a campaign of their own, and return it. Raises RegroupingError, also where leads are asked
    about the campaign and `by` is none of them.
    """
    _refuse_unless_lead(_open_cases(campaign).values(), by=by)
    return split_campaign(campaign, accounts, reason=reason, by=by.actor, now=now)


def _open_cases(*campaigns: Campaign) -> dict[object, Case]:
    opened = Case.objects.select_related("escalated_by").filter(status=Case.Status.OPEN, campaign__in=campaigns)
    locked = opened.select_for_update(of=("self",)).order_by("pk")
    return {case.campaign_id: case for case in locked}


def _refuse_unless_lead(cases: Collection[Case], *, by: User) -> None:
    if by.role not in ESCALATED_TO and any(case.escalated_at is not None for case in cases):
        raise RegroupingError(
            "The leads are asked about this campaign: until they answer, only they merge or split it."
        )


def _move_question(asked: Case, staying: Case, *, by: User, now: datetime) -> None:
    """The one who asked first hears what is decided; both questions are shown, and in the history."""
    first = staying if staying.escalated_at is not None else asked
    both = dict.fromkeys(filter(None, (staying.escalated_because, asked.escalated_because)))
    Case.objects.filter(pk=staying.pk).update(
        escalated_at=first.escalated_at,
        escalated_by=first.escalated_by,
        escalated_because=" ".join(both)[:LONGEST_REASON],
        **GIVEN_BACK,
        **UNASSIGNED,
    )
    withdraw(staying, InboxItem.Kind.ASSIGNED)
    InboxItem.objects.filter(case=asked, kind=InboxItem.Kind.ESCALATED).update(case=staying)
    text = f"{asked.escalated_by} asked about the campaign that is merged into this one: {asked.escalated_because}"
    add_step(staying, Step.Kind.ESCALATED, by=by.actor, now=now, text=text, details={"because": text})
