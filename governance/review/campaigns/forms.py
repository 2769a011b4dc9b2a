"""Forms of the pages of campaigns: filters, the choice of members, and the decision about them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import QueryDict

from accounts.normalization import normalize_id
from governance.review.campaigns.members import InitialTicks, MemberFilter, MemberSort, MemberTie
from governance.review.forms import AddressForm, DecisionForm
from governance.review.models import Decision
from governance.review.verdicts import Ticks, Verdict
from governance.web.cursors import CursorField
from governance.web.fields import FlagField, SignedField, TypedTextField

MOST_ACCOUNTS: Final = 20_000
LARGEST_KEY: Final = 2**63 - 1
CARRIED: Final = (
    *("decision", "seen", "left_out_because", "action", "favour", "against", "terms_clause", "note"),
    *("days", "requests_per_minute", "tokens_per_minute", "withheld"),
)


class CampaignListForm(AddressForm):
    state = forms.ChoiceField(
        choices=[("open", "Open"), ("watched", "Watched"), ("closed", "Closed"), ("all", "All")], required=False
    )
    after = CursorField()


class MemberFilterForm(AddressForm):
    q = forms.CharField(max_length=120, required=False)
    tie = forms.ChoiceField(choices=[("", "Any tie"), *MemberTie.choices], required=False)
    sort = forms.ChoiceField(choices=MemberSort.choices, required=False)
    ticked = forms.ChoiceField(choices=InitialTicks.choices, required=False)
    long = FlagField()
    case = forms.UUIDField(required=False)

    def member_filter(self) -> MemberFilter:
        """Of a valid form."""
        given = self.cleaned_data
        return MemberFilter(
            text=normalize_id(given["q"]),
            tie=given["tie"],
            sort=MemberSort(given["sort"] or MemberSort.SCORE),
            is_long=given["long"],
            ticked=InitialTicks(given["ticked"]),
        )


class _EveryValue(forms.MultipleHiddenInput):
    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[str]:
        return _every_value(data, name)


def _every_value(data: Mapping[str, Any], name: str) -> list[str]:
    return data.getlist(name) if isinstance(data, QueryDict) else list(data.get(name, []))


class PrimaryKeysField(forms.Field):
    """Primary keys, each a value of its own or several with commas between them: a form has at most 1,000 fields."""

    widget = _EveryValue

    def validate(self, value: frozenset[int]) -> None:
        if self.required and not value:
            raise ValidationError(self.error_messages["required"], code="required")

    def to_python(self, value: Any) -> frozenset[int]:
        texts = [text for one in value or [] for text in one.split(",") if text.strip()]
        if len(texts) > MOST_ACCOUNTS:
            raise ValidationError(f"At most {MOST_ACCOUNTS:,} accounts at a time.")
        try:
            keys = frozenset(int(text) for text in texts)
        except ValueError:
            raise ValidationError("This list of accounts cannot be read.") from None
        if any(not 0 < key <= LARGEST_KEY for key in keys):
            raise ValidationError("This list of accounts cannot be read.")
        return keys


class SplitForm(forms.Form):
    """The ticked members become a campaign of their own."""

    accounts = PrimaryKeysField(error_messages={"required": "Tick the members to split off."})
    split_because = TypedTextField(max_length=500, error_messages={"required": "Enter a reason for splitting."})


class MergeForm(forms.Form):
    other = forms.UUIDField(error_messages={"required": "Choose a campaign."})
    merge_because = TypedTextField(max_length=500, error_messages={"required": "Enter a reason for merging."})


class PreviewedField(SignedField):
    """When a preview was shown."""

    salt = "when the preview of a decision about a campaign was shown"
    complaint = "This preview cannot be read."

    @classmethod
    def sign(cls, at: datetime) -> str:
        return signing.dumps(at.isoformat(), salt=cls.salt)

    def parse(self, given: Any) -> datetime:
        at = datetime.fromisoformat(given)
        if at.tzinfo is None:
            raise ValueError(given)
        return at


class CampaignDecisionForm(DecisionForm):
    """A decision about the members that are ticked. It is looked at first (`is_preview`), and then confirmed."""

    accounts = PrimaryKeysField(required=False, label="Accounts")
    listed = PrimaryKeysField(required=False)
    others = FlagField()
    seen = forms.IntegerField(min_value=0, max_value=LARGEST_KEY)
    previewed = PreviewedField(required=False)
    left_out_because = TypedTextField(max_length=500, required=False)

    def __init__(self, data: Any = None, *, is_preview: bool = True) -> None:
        super().__init__(data)
        self.is_preview = is_preview

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if not given.get("accounts") and not given.get("others") and "accounts" not in self.errors:
            self.add_error("accounts", "Tick at least one account.")
        if not self.is_preview and not given.get("confirmed") and "confirmed" not in self.errors:
            self.add_error("confirmed", "Tick to confirm.")
        return given

    def _need(self, name: str, message: str) -> None:
        if name != "confirmed":  # which is asked for once it was looked at
            super()._need(name, message)

    def chosen(self) -> list[str]:
        return [one for one in super().chosen() if one != Decision.Scope.CAMPAIGN.label]

    def carried(self) -> Iterator[tuple[str, str]]:
        """Yield what the preview sends once it is confirmed, but for the accounts."""
        for name in CARRIED:
            yield from ((name, value) for value in _every_value(self.data, name))

    def verdict(self) -> Verdict:
        return replace(super().verdict(), scope=Decision.Scope.CAMPAIGN)

    def ticks(self, others: frozenset[int] = frozenset()) -> Ticks:
        """Of a valid form. `others` are the members that the page could not list."""
        given = self.cleaned_data
        also = others - given["listed"] if given["others"] else frozenset[int]()
        return Ticks(
            given["accounts"] | also,
            seen=given["seen"],
            left_out_because=given["left_out_because"],
            is_confirmed=not self.is_preview,
            previewed_at=None if self.is_preview else given["previewed"],
        )
