"""The cases behind a figure of the overview, a page at a time."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from django import forms
from django.core.validators import MaxValueValidator
from django.db.models import Q, QuerySet

from governance.detection.models import BAND_CHOICES
from governance.overview.queries import AGES, DUE_SOON, day_bounds, in_age_range
from governance.review.forms import AddressForm
from governance.review.models import Case
from governance.web.cursors import Cursor, CursorField, rows_after

PAGE: Final = 50


class DueFilter(NamedTuple):
    """A choice of cases by when they are due."""

    code: str
    name: str


DUE: Final = (DueFilter("overdue", "overdue"), DueFilter("soon", "due within 4 h or overdue"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseListFilter:
    """Which cases: those that wait, or with a day those that were opened or decided on it."""

    band: str = ""
    age: int | None = None
    due: str = ""
    opened: date | None = None
    decided: date | None = None
    after: Cursor | None = None

    @property
    def title(self) -> str:
        """The list in words."""
        if self.decided:
            return f"Cases decided on {self.decided:%-d %b %Y}"
        if self.opened:
            return f"Cases opened on {self.opened:%-d %b %Y}"
        said = [self.band, f"waiting {AGES[self.age].name}" if self.age is not None else ""]
        said += [choice.name for choice in DUE if choice.code == self.due]
        return f"Waiting cases: {', '.join(filter(None, said)) or 'all'}"


# There is no day after the last one that a date can name.
_WITHIN_REACH: Final = MaxValueValidator(date(9999, 1, 1))


class CaseListForm(AddressForm):
    """The filter as it stands in the address."""

    band = forms.ChoiceField(choices=[("", "All bands"), *BAND_CHOICES], required=False)
    age = forms.IntegerField(min_value=0, max_value=len(AGES) - 1, required=False)
    due = forms.ChoiceField(choices=[("", "Any"), *DUE], required=False)
    opened = forms.DateField(input_formats=["%Y-%m-%d"], validators=[_WITHIN_REACH], required=False)
    decided = forms.DateField(input_formats=["%Y-%m-%d"], validators=[_WITHIN_REACH], required=False)
    after = CursorField()

    def case_filter(self) -> CaseListFilter:
        """Of a valid form."""
        return CaseListFilter(**self.cleaned_data)


class CasePage(NamedTuple):
    """Some cases, how many there are in all, and where the next page starts, if there is one."""

    cases: list[Case]
    total: int
    next_after: Cursor | None


def list_cases(wanted: CaseListFilter, *, now: datetime) -> CasePage:
    """Those that are due soonest first; decided ones in the order in which they were decided. In two queries."""
    cases = _cases(wanted, now=now)
    total = cases.count()
    order = ("closed_at" if wanted.decided else "due_at", "pk")
    cases = cases.select_related("account__organisation", "campaign", "claimed_by").order_by(*order)
    found = list(rows_after(cases, wanted.after, order)[: PAGE + 1])
    return CasePage(found[:PAGE], total, Cursor.at(found[PAGE - 1], order) if len(found) > PAGE else None)


def _cases(wanted: CaseListFilter, *, now: datetime) -> QuerySet[Case]:
    cases: QuerySet[Case] = (
        Case.objects.all() if wanted.opened or wanted.decided else Case.objects.waiting().not_held(at=now)
    )
    if wanted.opened:
        start, end = day_bounds(wanted.opened)
        cases = cases.filter(part_of=None, opened_at__gte=start, opened_at__lt=end)
    if wanted.decided:
        start, end = day_bounds(wanted.decided)
        cases = cases.filter(status=Case.Status.DECIDED, closed_at__gte=start, closed_at__lt=end)
    if wanted.band:
        cases = cases.filter(band=wanted.band)
    if wanted.age is not None:
        cases = cases.filter(in_age_range(wanted.age, now=now))
    if wanted.due:
        cases = cases.filter(Q(due_at__lt=now + DUE_SOON) if wanted.due == "soon" else Q(due_at__lte=now))
    return cases
