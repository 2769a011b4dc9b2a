"""Filters of the list of accounts, the search box, and the reasons that people give."""

from django import forms

from governance.detection.models import BAND_CHOICES
from governance.investigation.account_list import AccountFilter, AccountSort
from governance.investigation.finders import ResultKind
from governance.investigation.usage_summary import Period
from governance.review.forms import AddressForm, FocusedForm
from governance.web.cursors import CursorField
from governance.web.fields import FlagField, TypedTextField

LONGEST_SEARCH = 200
KINDS = [(kind.value, kind.value) for kind in ResultKind]


class AccountListForm(AddressForm):
    band = forms.ChoiceField(choices=[("", "All bands"), *reversed(BAND_CHOICES)], required=False)
    least = forms.IntegerField(min_value=0, max_value=100, required=False)
    most = forms.IntegerField(min_value=0, max_value=100, required=False)
    plan = forms.CharField(max_length=64, required=False)
    country = forms.CharField(max_length=2, required=False)
    organisation = forms.CharField(max_length=128, required=False)
    watched = FlagField()
    sort = forms.ChoiceField(choices=AccountSort.choices, required=False)
    after = CursorField()

    def account_filter(self) -> AccountFilter:
        """Of a valid form."""
        given = dict(self.cleaned_data)
        return AccountFilter(**given | {"sort": AccountSort(given["sort"] or AccountSort.SCORE)})


class AccountPageForm(AddressForm):
    period = forms.ChoiceField(choices=Period.choices, required=False)

    def period_chosen(self) -> Period:
        """Of a valid form."""
        return Period(self.cleaned_data["period"] or Period.WEEKS)


class OrganisationPageForm(AddressForm):
    after = CursorField()


class SearchForm(AddressForm):
    q = forms.CharField(max_length=LONGEST_SEARCH, required=False)
    kind = forms.ChoiceField(choices=[("", ""), *KINDS], required=False)
    after = CursorField()


class OpenCaseForm(FocusedForm):
    reason = TypedTextField(max_length=500, error_messages={"required": "Enter why a case is needed."})


class WatchForm(FocusedForm):
    reason = TypedTextField(max_length=500, error_messages={"required": "Enter a reason."})
