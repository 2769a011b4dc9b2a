"""The filters of the audit log as they stand in the address, and the form that exports what they show."""

from datetime import date

from django import forms
from django.core.validators import MaxValueValidator

from governance.audit.verbs import verb_choices
from governance.overview.log_pages.queries import FileFormat, LogFilter
from governance.review.forms import AddressForm

# There is no day after the last one that a date can name.
_WITHIN_REACH = MaxValueValidator(date(9999, 1, 1))
_LARGEST = 2**63 - 1


def _day() -> forms.DateField:
    return forms.DateField(input_formats=["%Y-%m-%d"], validators=[_WITHIN_REACH], required=False)


class LogForm(AddressForm):
    who = forms.CharField(max_length=100, required=False)
    kind = forms.CharField(max_length=32, required=False)
    about = forms.CharField(max_length=254, required=False)
    verb = forms.ChoiceField(choices=[("", "Everything"), *verb_choices()], required=False)
    first = _day()
    last = _day()
    before = forms.IntegerField(min_value=1, max_value=_LARGEST, required=False)

    def log_filter(self) -> LogFilter:
        """Of a valid form."""
        given = {name: value for name, value in self.cleaned_data.items() if name in LogFilter._fields}
        return LogFilter(**given)


class ExportForm(LogForm):
    file_format = forms.ChoiceField(choices=FileFormat.choices)
