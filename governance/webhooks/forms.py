"""Forms of the webhook pages."""

from typing import Any

from django import forms

from governance.web.fields import TypedTextField
from governance.webhooks.addresses import AddressError, check_url


class WebhookForm(forms.Form):
    url = TypedTextField(max_length=500, error_messages={"required": "Enter an address."})

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            check_url(url)
        except AddressError as error:
            raise forms.ValidationError(str(error)) from error
        return url


class ReplayForm(forms.Form):
    """One delivery, or all since a day."""

    delivery = forms.UUIDField(required=False)
    since = forms.DateField(required=False)

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if not (given.get("delivery") or given.get("since")):
            raise forms.ValidationError("Enter a date.")
        return given
