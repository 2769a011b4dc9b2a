"""Forms of the case pages: filters of the queue, decisions, notes, removals."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core import signing
from django.utils.functional import cached_property

from governance.configuration.queries import ReasonSetting
from governance.restrictions.kinds import Withheld, kind_choices, kind_info, missing_need
from governance.restrictions.reason_settings import get_reason_settings
from governance.restrictions.reasons import DISMISSING, NEEDING_NOTE, RESTRICTING, Reason
from governance.review.models import Decision, Dismissal, action_choices, action_info, to_action
from governance.review.verdicts import SeenMembers, Verdict
from governance.web.counts import pluralize
from governance.web.fields import FlagField, SignedField, TypedTextField

DAYS = (1, 7, 30)
USUAL_DAYS = 7
USUAL_LIMIT = 10
# What a harvest is after; new models are withheld by choice.
USUALLY_WITHHELD = (Withheld.LOGPROBS, Withheld.REASONING)

Choices = list[tuple[str, str]]


class AddressForm(forms.Form):
    """Filters in the address of a list. What is blank counts as not given; what does not fit is refused, since a
    misspelt filter would show other rows than those asked for.
    """

    @property
    def complaint(self) -> str:
        """What is wrong with the address, in one line."""
        return " ".join(f"{name}: {mistake}" for name, mistakes in self.errors.items() for mistake in mistakes)


class RestrictionListForm(AddressForm):
    kind = forms.ChoiceField(choices=[("", "All kinds"), *kind_choices()], required=False)
    q = forms.CharField(max_length=128, required=False)
    before = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)


class FocusedForm(forms.Form):
    """A form whose page puts the focus on the first field with a mistake."""

    @property
    def first_mistake(self) -> str:
        """That field's name; empty where all is well."""
        return next((name for name in self.fields if name in self.errors), "")


class SeenMembersField(SignedField):
    """Which members of the account's campaign the page has shown. By a later one, members whom nobody has seen would be
    decided about.
    """

    salt = "which members of a campaign the page of a case has shown"
    complaint = "The members of the campaign cannot be read. Check them and decide again."

    @classmethod
    def sign(cls, campaign: uuid.UUID, newest: int) -> str:
        return signing.dumps([str(campaign), newest], salt=cls.salt)

    def parse(self, given: Any) -> SeenMembers:
        campaign, newest = given
        return SeenMembers(uuid.UUID(campaign), int(newest))


class DecisionForm(FocusedForm):
    """What to do, why, and by which clause. Which other fields count follows from the action."""

    decision = forms.UUIDField(widget=forms.HiddenInput)
    action = forms.ChoiceField(
        choices=action_choices, widget=forms.RadioSelect, error_messages={"required": "Choose an action."}
    )
    favour = forms.ChoiceField(required=False, widget=forms.RadioSelect)
    against = forms.ChoiceField(required=False, widget=forms.RadioSelect)
    days = forms.TypedChoiceField(
        coerce=int, required=False, choices=[(days, str(days)) for days in DAYS], widget=forms.RadioSelect
    )
    requests_per_minute = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)
    tokens_per_minute = forms.IntegerField(required=False, min_value=1, max_value=10**12)
    withheld = forms.MultipleChoiceField(required=False, choices=Withheld.choices, widget=forms.CheckboxSelectMultiple)
    scope = forms.ChoiceField(required=False, choices=Decision.Scope.choices, widget=forms.RadioSelect)
    members_seen = SeenMembersField(required=False)
    terms_clause = forms.ChoiceField(required=False)
    note = TypedTextField(max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    confirmed = FlagField()

    def __init__(self, data: Any = None) -> None:
        usual = {
            "decision": uuid.uuid4(),
            "days": USUAL_DAYS,
            "requests_per_minute": USUAL_LIMIT,
            "withheld": USUALLY_WITHHELD,
            "scope": Decision.Scope.ACCOUNT,
        }
        super().__init__(data, initial=usual, auto_id="decide-%s")
        self._offer("against", RESTRICTING)
        self._offer("favour", DISMISSING)
        clauses = [(clause, clause) for clause in settings.TERMS_CLAUSES]
        self._choices("terms_clause", [("", "Choose a clause"), *clauses])

    def _offer(self, name: str, reasons: Sequence[Reason]) -> None:
        labels = {reason: f"{reason.label}, see the note" for reason in NEEDING_NOTE}

        def offered() -> Choices:
            shown = [one for one in reasons if self._setting(one).is_offered]
            return [(reason.value, labels.get(reason, reason.label)) for reason in shown]

        self._choices(name, offered)

    @cached_property
    def _reason_settings(self) -> Mapping[str, ReasonSetting]:
        """Read when first needed: most pages make a form of which they show nothing."""
        return get_reason_settings()

    def _setting(self, reason: str) -> ReasonSetting:
        return self._reason_settings.get(reason, ReasonSetting())

    @cached_property
    def clauses(self) -> dict[str, str]:
        """The clause that the page chooses with each reason, of those that the terms have."""
        found = {reason: setting.terms_clause for reason, setting in self._reason_settings.items()}
        return {reason: clause for reason, clause in found.items() if clause in settings.TERMS_CLAUSES}

    def _choices(self, name: str, choices: Choices | Callable[[], Choices]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("action") == Dismissal.DISMISS:
            self._need("favour", "Choose a reason for dismissing.")
        elif given.get("action"):
            self._check_restriction(given["action"])
        if given.get("action") != Dismissal.DISMISS and given.get("against") in NEEDING_NOTE:
            self._need("note", "Describe the reason in the note.")
        return given

    def _check_restriction(self, kind: str) -> None:
        given, row = self.cleaned_data, kind_info(kind)
        self._need("against", "Choose a reason.")
        if row.needs_clause:
            self._need("terms_clause", "Choose a terms clause.")
        if (need := missing_need(kind, given)) is not None:
            self._need(need.members[0], need.message)
        if row.needs_end:
            self._need("days", "Choose a duration.")
        if given.get("scope") == Decision.Scope.CAMPAIGN and not given.get("members_seen"):
            self.add_error("scope", SeenMembersField.complaint)
        if row.warning or given.get("scope") not in {"", Decision.Scope.ACCOUNT}:
            self._need("confirmed", "Tick to confirm.")

    def _need(self, name: str, message: str) -> None:
        if not self.cleaned_data.get(name) and name not in self.errors:
            self.add_error(name, message)

    @property
    def kept_members_seen(self) -> str:
        """What was seen when the form was sent, for the form that is shown again; empty where it is to be seen anew."""
        kept = self.is_bound and "scope" not in self.errors and self.cleaned_data.get("members_seen")
        return str(self["members_seen"].value()) if kept else ""

    def chosen(self) -> list[str]:
        """What was chosen, in words, of a valid form; without the note."""
        verdict = self.verdict()
        said = [str(verdict.action.label), verdict.reason.label, verdict.terms_clause]
        if verdict.lasts:
            said.append(f"for {verdict.lasts.days} day{'' if verdict.lasts.days == 1 else 's'}")
        if verdict.requests_per_minute:
            said.append(f"{pluralize(verdict.requests_per_minute, 'request')} per minute")
        if verdict.tokens_per_minute:
            said.append(f"{verdict.tokens_per_minute:,} tokens per minute")
        said += [Withheld(one).label for one in verdict.withheld]
        if verdict.scope != Decision.Scope.ACCOUNT:
            said.append(verdict.scope.label)
        return [one for one in said if one]

    def verdict(self) -> Verdict:
        """Of a valid form."""
        given = self.cleaned_data
        action = to_action(given["action"])
        dismissed, row = action == Dismissal.DISMISS, action_info(action)
        needed = {member: given[member] for member in row.need.members} if row.need else {}
        return Verdict(
            action=action,
            reason=Reason(given["favour"] if dismissed else given["against"]),
            terms_clause="" if dismissed else given["terms_clause"],
            note=given["note"],
            lasts=timedelta(days=given["days"]) if row.needs_end else None,
            scope=Decision.Scope.ACCOUNT if dismissed else Decision.Scope(given["scope"] or Decision.Scope.ACCOUNT),
            **needed,
        )


class NoteForm(FocusedForm):
    text = TypedTextField(
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Enter a note."},
    )


class ExcerptsForm(FocusedForm):
    reason = TypedTextField(max_length=500, error_messages={"required": "Enter why you need to read them."})


class UndoForm(FocusedForm):
    note = TypedTextField(max_length=500, error_messages={"required": "Enter a reason for undoing the decision."})


class LiftForm(FocusedForm):
    note = TypedTextField(max_length=500, error_messages={"required": "Enter a reason for removing the restriction."})
    everywhere = FlagField()
