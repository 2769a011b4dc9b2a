"""Lists of the queue by name: a name, and the query of the address."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import BooleanField, Case, ExpressionWrapper, IntegerField, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Lower
from django.http import QueryDict

from governance.audit.actions import record
from governance.audit.verbs import Verb
from governance.platform.transactions import retried_transaction
from governance.review.models import SavedView
from governance.review.queue_filters import cases_to_count
from governance.review.queue_forms import QueueForm
from governance.staff.models import User

# From here on a count says "and more": it stays cheap however many cases there are.
COUNTED: Final = 1000
MOST_VIEWS: Final = 30


class TooManyViewsError(Exception):
    """Somebody has as many views as are shown."""

    def __init__(self) -> None:
        super().__init__(f"You have {MOST_VIEWS} saved views. Remove one first.")


class NamedView(NamedTuple):
    """A saved view, whether it is the user's own, and how many cases it holds: None where nobody asked."""

    view: SavedView
    is_own: bool
    size: int | None

    @property
    def size_text(self) -> str:
        if self.size is None:
            return ""
        return f"{self.size:,}" if self.size < COUNTED else f"{COUNTED:,}+"


@retried_transaction
def save_view(name: str, *, query: str, is_shared: bool, by: User, now: datetime) -> SavedView:
    """Save a list under a name. A view of one's own with this name is replaced. Raises TooManyViewsError."""
    User.objects.select_for_update().get(pk=by.pk)  # else two at once under one name would both find none
    # As the database's constraint has it: Python and `iexact` fold some letters of other alphabets otherwise.
    same = SavedView.objects.alias(lower=Lower("name")).filter(owner=by, lower=Lower(Value(name)))
    view = SavedView.objects.filter(pk__in=same.values("pk")).first()
    if view is None and SavedView.objects.filter(owner=by).count() >= MOST_VIEWS:
        raise TooManyViewsError
    view = view or SavedView(owner=by, created_at=now)
    view.name, view.query, view.is_shared = name, query, is_shared
    view.save()
    details = {"name": name, "query": query, "shared": is_shared}
    record(Verb.VIEW_SAVED, subject=("view", str(view.pk)), by=by.actor, now=now, details=details)
    return view


@retried_transaction
def remove_view(view: SavedView, *, by: User, now: datetime) -> None:
    deleted, _ = SavedView.objects.filter(pk=view.pk, owner=by).delete()
    if deleted:
        record(Verb.VIEW_REMOVED, subject=("view", str(view.pk)), by=by.actor, now=now, details={"name": view.name})


def list_views(user: User, *, now: datetime, is_counted: bool) -> list[NamedView]:
    """Return the views that somebody may choose: their own, then those that others share."""
    views = list(_views_of(user))
    counts = _counts(views, user=user, now=now) if is_counted else {}
    return [NamedView(view, view.owner_id == user.pk, counts.get(view.pk)) for view in views]


def _views_of(user: User) -> QuerySet[SavedView]:
    views = SavedView.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")
    is_own = ExpressionWrapper(Q(owner=user), output_field=BooleanField())
    return views.order_by(is_own.desc(), "name", "pk")[: 2 * MOST_VIEWS]  # one's own leave room for others'


class _CountUpTo(Subquery):
    """How many rows a query has that ends with a limit."""

    template = "(SELECT count(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def _counts(views: Sequence[SavedView], *, user: User, now: datetime) -> dict[uuid.UUID, int]:
    """Return how many cases each view holds, up to COUNTED, by its primary key. One query for all."""
    forms = ((view.pk, QueueForm(QueryDict(view.query))) for view in views)
    lists = [(pk, cases_to_count(form.queue_filter(), user=user, now=now)) for pk, form in forms if form.is_valid()]
    if not lists:
        return {}
    sizes = [When(pk=pk, then=_CountUpTo(cases.values("pk")[:COUNTED])) for pk, cases in lists]
    counted = SavedView.objects.filter(pk__in=[pk for pk, _ in lists]).annotate(size=Case(*sizes))
    return dict(counted.values_list("pk", "size"))
