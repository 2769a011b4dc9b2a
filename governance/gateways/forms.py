"""Forms of the enforcement page."""

from django import forms

from governance.web.fields import TypedTextField


class DropLostForm(forms.Form):
    """Why nobody is restricted any more because of a decision that was lost in a restore."""

    note = TypedTextField(max_length=500, error_messages={"required": "Enter a reason for letting the customer in."})
