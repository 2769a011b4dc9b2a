"""Forms of the queue: its filters, saved views, and what is said of a case short of deciding it."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.http import QueryDict

from accounts.normalization import normalize_id
from governance.detection.finding import Family
from governance.detection.models import BAND_CHOICES
from governance.review.forms import AddressForm, FocusedForm
from governance.review.inbox import find_colleague
from governance.review.models import LONGEST_QUERY, LONGEST_REASON
from governance.review.queue_filters import (
    ALL_COLUMNS,
    MINE,
    NOBODY,
    USUAL_COLUMNS,
    ByPolicy,
    DueWithin,
    QueueColumn,
    QueueFilter,
    QueueSort,
    QueueView,
)
from governance.staff.models import User
from governance.web.cursors import CursorField
from governance.web.fields import FlagField, TypedTextField

HOURS: Final = ((4, "4 hours"), (24, "1 day"), (72, "3 days"), (168, "1 week"))
USUAL_HOURS: Final = 24
LONGEST_HOLD: Final = timedelta(days=90)
USUAL: Final = {"view": [QueueView.ALL.value], "columns": [column.value for column in USUAL_COLUMNS]}
FAMILIES: Final = [(family.value, family.value.capitalize()) for family in Family if family != Family.HARMLESS]


class QueueForm(AddressForm):
    view = forms.ChoiceField(choices=QueueView.choices, required=False)
    band = forms.ChoiceField(choices=[("", "All bands"), *reversed(BAND_CHOICES)], required=False)
    q = forms.CharField(max_length=120, required=False)
    after = CursorField()
    score_from = forms.IntegerField(min_value=0, max_value=100, required=False)
    score_to = forms.IntegerField(min_value=0, max_value=100, required=False)
    campaign_from = forms.IntegerField(min_value=1, max_value=10**9, required=False)
    tokens_from = forms.IntegerField(min_value=1, max_value=10**15, required=False)
    due = forms.ChoiceField(choices=DueWithin.choices, required=False)
    plan = forms.CharField(max_length=64, required=False)
    country = forms.CharField(max_length=2, required=False)
    policy = forms.ChoiceField(choices=ByPolicy.choices, required=False)
    assignee = forms.CharField(max_length=36, required=False)
    family = forms.ChoiceField(choices=[("", "All kinds of reason"), *FAMILIES], required=False)
    sort = forms.ChoiceField(choices=QueueSort.choices, required=False)
    columns = forms.MultipleChoiceField(choices=QueueColumn.choices, required=False)

    def clean_assignee(self) -> str:
        given = str(self.cleaned_data["assignee"])
        if given in {"", MINE, NOBODY}:
            return given
        try:
            return str(uuid.UUID(given))
        except ValueError:
            raise forms.ValidationError(f"Choose a person, or write {MINE} or {NOBODY}.") from None

    def queue_filter(self) -> QueueFilter:
        """Of a valid form."""
        given = self.cleaned_data
        chosen = [QueueColumn(column) for column in given["columns"]]
        return QueueFilter(
            view=QueueView(given["view"] or QueueView.ALL),
            band=given["band"],
            text=normalize_id(given["q"]),
            after=given["after"],
            score_from=given["score_from"],
            score_to=given["score_to"],
            campaign_from=given["campaign_from"],
            tokens_from=given["tokens_from"],
            due=DueWithin(given["due"]),
            plan=given["plan"],
            country=given["country"].upper(),
            policy=ByPolicy(given["policy"]),
            assignee=given["assignee"],
            family=given["family"],
            sort=QueueSort(given["sort"]),
            columns=tuple(column for column in ALL_COLUMNS if column in chosen) or USUAL_COLUMNS,
        )


class InboxForm(AddressForm):
    after = CursorField()


class NextForm(QueueForm):
    """The list from which Next hands out, `after` the case that the user goes on from."""

    after = forms.UUIDField(required=False)  # type: ignore[assignment] # of a case, and not of a page

    def queue_filter(self) -> QueueFilter:
        return super().queue_filter().for_next()


def clean_query(given: Any) -> str:
    """Return the query of a list without where in it a page begins, and without what is blank or usual."""
    query = QueryDict(mutable=True)
    for name in QueueForm.base_fields:
        values = [value for value in given.getlist(name) if value]
        if name != "after" and values and values != USUAL.get(name):
            query.setlist(name, values)
    return query.urlencode()


def parse_query(given: QueryDict) -> str | None:
    """Return the query that a view is to be saved with; None where it is no list of cases."""
    query = clean_query(given)
    return query if len(query) <= LONGEST_QUERY and QueueForm(QueryDict(query)).is_valid() else None


class HoldForm(FocusedForm):
    hours = forms.TypedChoiceField(coerce=int, choices=HOURS, initial=USUAL_HOURS)
    until = forms.DateTimeField(required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    because = TypedTextField(max_length=LONGEST_REASON, error_messages={"required": "Enter what you wait for."})
    seen = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)  # the hold that the page showed

    def __init__(self, data: Any = None, *, now: datetime) -> None:
        super().__init__(data, auto_id="hold-%s")
        self.now = now

    def clean_until(self) -> datetime | None:
        until: datetime | None = self.cleaned_data["until"]
        if until is not None and not self.now < until <= self.now + LONGEST_HOLD:
            raise forms.ValidationError(f"Enter a time in the next {LONGEST_HOLD.days} days.")
        return until

    def held_until(self) -> datetime:
        """Of a valid form."""
        until: datetime | None = self.cleaned_data["until"]
        return until or self.now + timedelta(hours=self.cleaned_data["hours"])


class AssignForm(FocusedForm):
    to = forms.CharField(max_length=254, required=False)
    because = TypedTextField(max_length=LONGEST_REASON, required=False)
    seen = forms.CharField(max_length=36, required=False, widget=forms.HiddenInput)  # whom the page showed as assigned

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="assign-%s")

    def clean_to(self) -> User | None:
        """Nobody where it is left empty."""
        if not (text := self.cleaned_data["to"]):
            return None
        if (found := find_colleague(text)) is None:
            raise forms.ValidationError("Enter the name or e-mail address of one colleague who works on cases.")
        return found


class ReasonForm(FocusedForm):
    """One line that says why: for escalating, answering and skipping."""

    because = TypedTextField(max_length=LONGEST_REASON)

    def __init__(self, data: Any = None, *, missing: str, auto_id: str) -> None:
        super().__init__(data, auto_id=f"{auto_id}-%s")
        self.fields["because"].error_messages["required"] = missing


class SaveViewForm(FocusedForm):
    name = TypedTextField(max_length=60, error_messages={"required": "Enter a name."})
    query = forms.CharField(max_length=1000, required=False, widget=forms.HiddenInput)
    is_shared = FlagField()

    @property
    def complaint(self) -> str:
        """What is wrong, in one line."""
        return " ".join(str(mistake) for mistakes in self.errors.values() for mistake in mistakes)
