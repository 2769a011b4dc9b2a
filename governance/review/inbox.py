"""What colleagues want somebody to see: who is mentioned, and what is assigned, escalated and back from hold."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower, StrIndex, Substr

from governance.platform.transactions import retried_transaction
from governance.review.actions import add_note
from governance.review.inbox_items import notify
from governance.review.mentions import handle_of, mentioned_handles
from governance.review.models import Case, InboxItem
from governance.staff.models import User
from governance.staff.roles import WORK_ON_CASES
from governance.web.cursors import Cursor, rows_after

SHOWN: Final = 50
NEWEST_FIRST: Final = ("-at", "-pk")


class Inbox(NamedTuple):
    """A page of somebody's items, the newest first, where the next page begins, and their cases that are back from
    hold.
    """

    items: list[InboxItem]
    next_after: Cursor | None
    returned: list[Case]

    @property
    def newest(self) -> int:
        """Up to which item all can be marked as read."""
        return max((item.pk for item in self.items), default=0)


class Mentioned(NamedTuple):
    """Whom a note mentions, but for its author, and the mentions that are nobody's."""

    users: Sequence[User]
    unknown: Sequence[str]


def colleagues() -> QuerySet[User]:
    """Those who work on cases."""
    return User.objects.filter(is_active=True, role__in=WORK_ON_CASES).order_by("name", "pk")


def find_colleague(text: str) -> User | None:
    """Return the one colleague with this name, e-mail address or @mention; None where there is none, or several."""
    lowered = Lower(Value(text.strip().removeprefix("@")))
    named = colleagues().alias(handle=_handle(), lower=Lower("name"))
    found = list(named.filter(Q(handle=lowered) | Q(email=lowered) | Q(lower=lowered))[:2])
    return found[0] if len(found) == 1 else None


@retried_transaction
def add_note_with_mentions(case: Case, *, text: str, by: User, now: datetime) -> Mentioned:
    """Add a note to the history of a case, and put it into the inboxes of those whom it mentions."""
    step, handles = add_note(case, text=text, by=by, now=now), mentioned_handles(text)
    if not handles:
        return Mentioned([], [])
    found = list(colleagues().alias(handle=_handle()).filter(handle__in=handles))
    users = [user for user in found if user != by]
    if step.at == now:  # else the same note was sent twice
        notify(users, case, InboxItem.Kind.MENTIONED, text=text, by=by, now=now)
    known = {handle_of(user.email).lower() for user in found}
    return Mentioned(users, [handle for handle in handles if handle not in known])


def get_inbox(user: User, *, now: datetime, after: Cursor | None = None) -> Inbox:
    items = rows_after(user.inbox.select_related("case__account", "case__campaign", "by"), after, NEWEST_FIRST)
    found = list(items.order_by(*NEWEST_FIRST)[: SHOWN + 1])
    returned = _returned(user, now=now).select_related("account", "campaign").order_by("held_until", "pk")
    next_after = Cursor.at(found[SHOWN - 1], NEWEST_FIRST) if len(found) > SHOWN else None
    return Inbox(found[:SHOWN], next_after, list(returned))


def count_inbox(user: User, *, now: datetime) -> int:
    """Return how much in somebody's inbox is new to them."""
    return user.inbox.filter(read_at=None).count() + _returned(user, now=now).count()


def mark_read(user: User, items: Sequence[int], *, now: datetime) -> int:
    return user.inbox.filter(pk__in=items, read_at=None).update(read_at=now)


def mark_all_read(user: User, *, newest: int, now: datetime) -> int:
    """Mark all items as read up to the newest that was shown; what came since stays new."""
    return user.inbox.filter(pk__lte=newest, read_at=None).update(read_at=now)


def mark_case_read(user: User, case: Case, *, shown_at: datetime, now: datetime) -> int:
    """Mark what leads to a case as read, up to when its page was made: somebody has it open."""
    return user.inbox.filter(case=case, read_at=None, at__lte=shown_at).update(read_at=now)


def _returned(user: User, *, now: datetime) -> QuerySet[Case]:
    """Open cases that the user held and that are back, unless they are somebody else's now."""
    is_theirs = Q(assigned_to=None) | Q(assigned_to=user)
    return Case.objects.filter(is_theirs, status=Case.Status.OPEN, held_by=user, held_until__lte=now)


def _handle() -> Substr:
    return Substr("email", 1, StrIndex("email", Value("@")) - 1)
