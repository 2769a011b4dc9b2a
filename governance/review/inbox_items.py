"""Put items into inboxes, and take them out where they hold no longer."""

from collections.abc import Iterable
from datetime import datetime

from governance.review.models import Case, InboxItem
from governance.staff.models import User


def notify(
    users: Iterable[User], case: Case, kind: InboxItem.Kind, *, text: str, by: User, now: datetime
) -> list[InboxItem]:
    return InboxItem.objects.bulk_create(
        InboxItem(user=user, case=case, kind=kind, by=by, at=now, text=text) for user in users
    )


def withdraw(case: Case, kind: InboxItem.Kind) -> None:
    """Take out what is true no longer, such as that the case is assigned to somebody."""
    InboxItem.objects.filter(case=case, kind=kind).delete()


def settle_escalation(case: Case, *, text: str, by: User, now: datetime) -> None:
    """Tell the one who asked the leads what they say, and mark the question as read for all leads. Nothing happens
    where `case`, as it was before, is not escalated.
    """
    if case.escalated_at is None:
        return
    InboxItem.objects.filter(case=case, kind=InboxItem.Kind.ESCALATED, read_at=None).update(read_at=now)
    if case.escalated_by is not None and case.escalated_by != by:
        notify([case.escalated_by], case, InboxItem.Kind.RETURNED, text=text, by=by, now=now)
