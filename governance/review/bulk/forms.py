"""Forms of decisions about many accounts: what was ticked in a list, and the decision about it."""

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

from django import forms
from django.core import signing

from governance.review.campaigns.forms import PrimaryKeysField
from governance.review.forms import AddressForm, DecisionForm
from governance.review.models import MOST_AT_ONCE
from governance.web.fields import SignedField


def explain_too_many(number: int) -> str:
    """What is said where more are ticked than are decided at once; empty where they are not."""
    if number <= MOST_AT_ONCE:
        return ""
    return f"At most {MOST_AT_ONCE} accounts at once. {number:,} are ticked: untick {number - MOST_AT_ONCE:,}."


class Seen(NamedTuple):
    """When a preview was shown, and the number of the newest decision then."""

    number: int
    at: datetime


class SeenField(SignedField):
    """What a preview has seen. By a larger number, or a later time, what colleagues did and nobody has seen would be
    replaced.
    """

    salt = "what the preview of a bulk decision has seen"
    complaint = "The preview cannot be read. Go back to the list and tick again."

    @classmethod
    def sign(cls, number: int, at: datetime) -> str:
        return signing.dumps([number, at.isoformat()], salt=cls.salt)

    def parse(self, given: Any) -> Seen:
        number, at = given
        return Seen(int(number), datetime.fromisoformat(at))


class TickedAccountsForm(AddressForm):
    accounts = PrimaryKeysField(required=False)


class BulkDecisionForm(DecisionForm):
    """A decision about the accounts that are ticked; `listed` are all that the preview shows."""

    accounts = PrimaryKeysField(error_messages={"required": "Tick at least one account."})
    listed = PrimaryKeysField(required=False)
    seen = SeenField()

    def clean_accounts(self) -> frozenset[int]:
        ticked: frozenset[int] = self.cleaned_data["accounts"]
        if complaint := explain_too_many(len(ticked)):
            raise forms.ValidationError(complaint)
        return ticked

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if not given.get("confirmed") and "confirmed" not in self.errors:
            self.add_error("confirmed", "Tick to confirm.")
        return given

    def shown(self) -> tuple[frozenset[int], frozenset[int]]:
        """What to show again of a form with a mistake: the accounts listed, and those ticked, as far as they can be
        read.
        """
        ticked = self._read("accounts")
        return self._read("listed") | ticked, ticked

    def _read(self, name: str) -> frozenset[int]:
        field = self.fields[name]
        try:
            return frozenset(field.to_python(field.widget.value_from_datadict(self.data, {}, name)) or ())
        except forms.ValidationError:
            return frozenset()


def name_of_draft(accounts: frozenset[int]) -> str:
    """The name under which a browser keeps what is typed about these accounts: other ones have another."""
    listed = ",".join(map(str, sorted(accounts)))
    return hashlib.sha256(listed.encode()).hexdigest()[:16]
