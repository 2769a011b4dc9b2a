"""Forms of the enforcement pages."""

from django import forms

from governance.web.fields import TypedTextField


class DropLostForm(forms.Form):
    """Why nobody is restricted any more because of a decision that was lost in a restore."""

    note = TypedTextField(max_length=500, error_messages={"required": "Enter a reason for letting the customer in."})


class PlaceForm(forms.Form):
    """In the address of a list: the change after which its page starts."""

    after = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)

    @property
    def complaint(self) -> str:
        """What is wrong with the address, in one line."""
        return f"after: {' '.join(map(str, self.errors.get('after', [])))}"
