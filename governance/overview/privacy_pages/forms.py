"""Forms of the pages of legal holds and erasures."""

from django import forms

from governance.privacy.models import LONGEST_REASON
from governance.review.forms import AddressForm, FocusedForm
from governance.web.fields import FlagField, TypedTextField

LONGEST_ID = 128
KINDS = [("account", "Account"), ("organisation", "Organisation"), ("campaign", "Campaign")]
# A campaign is no person.
KINDS_OF_PEOPLE = KINDS[:2]


class HoldForm(FocusedForm):
    kind = forms.ChoiceField(choices=KINDS, error_messages={"required": "Choose what to hold."})
    name = forms.CharField(max_length=LONGEST_ID, error_messages={"required": "Enter its id."})
    reason = TypedTextField(max_length=LONGEST_REASON, error_messages={"required": "Enter why it must be kept."})


class LiftHoldForm(FocusedForm):
    reason = TypedTextField(max_length=LONGEST_REASON, error_messages={"required": "Enter why it can be lifted."})


class WhomForm(AddressForm):
    """Whom to erase: in the address of the preview."""

    kind = forms.ChoiceField(choices=KINDS_OF_PEOPLE)
    name = forms.CharField(max_length=LONGEST_ID)


class HoldWhomForm(AddressForm):
    """What the form of a new hold begins with, from the page of an account."""

    kind = forms.ChoiceField(choices=KINDS, required=False)
    name = forms.CharField(max_length=LONGEST_ID, required=False)


class EraseForm(FocusedForm):
    reason = TypedTextField(max_length=LONGEST_REASON, error_messages={"required": "Enter which request this answers."})
    confirmed = FlagField()

    def clean_confirmed(self) -> bool:
        confirmed: bool = self.cleaned_data["confirmed"]
        if not confirmed:
            raise forms.ValidationError("Tick to confirm: it cannot be undone.")
        return confirmed
