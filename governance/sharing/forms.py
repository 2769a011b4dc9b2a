"""Forms of the pages of partners and shares."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from governance.review.forms import AddressForm, FocusedForm
from governance.sharing.keyed_digests import SharedKey
from governance.sharing.models import LONGEST_REASON, Partner, Tlp
from governance.web.fields import FlagField, TypedTextField
from governance.webhooks.addresses import AddressError, check_url

LONGEST_SECRET = 300


def _parse_key(text: str) -> SharedKey | None:
    try:
        return SharedKey.parse(text) if text else None
    except ValueError as error:
        raise ValidationError(str(error)) from error


class KeyForm(FocusedForm):
    """A key that the partner has made; without one a new key is made here."""

    shared_key = forms.CharField(max_length=LONGEST_SECRET, required=False)

    def clean_shared_key(self) -> SharedKey | None:
        return _parse_key(self.cleaned_data["shared_key"])


class PartnerForm(KeyForm):
    """A new partner. Without days it does not expire."""

    name = TypedTextField(max_length=80, error_messages={"required": "Enter the name of the partner."})
    receives, sends = FlagField(), FlagField()
    tlp = forms.ChoiceField(choices=Tlp.choices, initial=Tlp.AMBER, error_messages={"required": "Choose a marking."})
    days = forms.IntegerField(min_value=1, max_value=3_650, required=False)
    collection_url = TypedTextField(max_length=500, required=False)
    collection_token = forms.CharField(max_length=LONGEST_SECRET, required=False)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise ValidationError("Use printable characters on one line.")
        return name

    def clean_collection_url(self) -> str:
        url: str = self.cleaned_data["collection_url"]
        try:
            if url:
                check_url(url)
        except AddressError as error:
            raise ValidationError(str(error)) from error
        return url

    def clean_collection_token(self) -> str:
        token: str = self.cleaned_data["collection_token"]
        if not (token.isascii() and token.isprintable()):
            raise ValidationError("Use printable characters of ASCII.")
        return token

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if not self.errors and not (given["receives"] or given["sends"]):
            self.add_error("receives", "Choose at least one direction.")
        if given.get("collection_url") and not given.get("sends"):
            self.add_error("collection_url", "A collection is read of a partner that sends.")
        return given


class ShareTargetForm(AddressForm):
    """For whom, and how marked: in the address of the preview."""

    partner = forms.ModelChoiceField(Partner.objects.none(), required=False)
    tlp = forms.ChoiceField(choices=[("", ""), *Tlp.choices], required=False)

    def __init__(self, data: Any = None, *, receivers: Any) -> None:
        super().__init__(data)
        partner = self.fields["partner"]
        assert isinstance(partner, forms.ModelChoiceField)  # noqa: S101 - for the type checker
        partner.queryset = receivers


class ReasonForm(FocusedForm):
    reason = TypedTextField(max_length=LONGEST_REASON, error_messages={"required": "Enter a reason."})
