"""What to put into a bundle."""

import uuid
from typing import Any

from django import forms

from governance.evidence.models import LONGEST_REASON
from governance.evidence.redaction import REDACTABLE
from governance.review.forms import FocusedForm
from governance.web.fields import FlagField, TypedTextField


class EvidenceForm(FocusedForm):
    bundle = forms.UUIDField(widget=forms.HiddenInput)
    redact = forms.MultipleChoiceField(
        choices=[(name, said) for name, said in REDACTABLE.items()], required=False, widget=forms.CheckboxSelectMultiple
    )
    excerpts = FlagField()
    reason = TypedTextField(max_length=LONGEST_REASON, required=False)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = self.cleaned_data
        if given.get("excerpts") and not given.get("reason") and "reason" not in self.errors:
            self.add_error("reason", "Enter why excerpts have to be in it.")
        return given


def empty_form() -> EvidenceForm:
    return EvidenceForm(initial={"bundle": uuid.uuid4()})
