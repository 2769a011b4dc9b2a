"""Forms of the pages of people and machines."""

from django import forms
from django.core.exceptions import ValidationError

from governance.review.forms import FocusedForm
from governance.staff.models import ServiceKey
from governance.staff.roles import Role
from governance.staff.service_keys import read_networks
from governance.web.fields import TypedTextField


class UserForm(FocusedForm):
    """A new member of staff."""

    name = TypedTextField(max_length=120, error_messages={"required": "Enter a name."})
    email = forms.EmailField(max_length=254, error_messages={"required": "Enter an e-mail address."})
    role = forms.ChoiceField(choices=Role.choices, error_messages={"required": "Choose a role."})


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


class ServiceKeyForm(FocusedForm):
    """A new service key. Without days it does not expire, without networks it works from everywhere."""

    name = TypedTextField(max_length=120, error_messages={"required": "Enter the name of the machine."})
    scopes = forms.MultipleChoiceField(
        choices=ServiceKey.Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one scope."},
    )
    days = forms.IntegerField(min_value=1, max_value=3_650, required=False)
    networks = TypedTextField(max_length=4_000, required=False)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise ValidationError("Use printable characters on one line.")
        return name

    def clean_networks(self) -> list[str]:
        try:
            return read_networks(self.cleaned_data["networks"].replace(",", " ").split())
        except ValueError as error:
            raise ValidationError(str(error)) from error


class ReplaceSecretForm(forms.Form):
    """How many days the secret before goes on working."""

    days = forms.IntegerField(min_value=0, max_value=90)
