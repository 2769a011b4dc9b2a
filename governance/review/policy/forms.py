"""What people send about policies."""

from django import forms


class ProposalForm(forms.Form):
    content = forms.CharField(max_length=20_000, strip=False, error_messages={"required": "Paste the policy."})


class SwitchForm(forms.Form):
    why = forms.CharField(max_length=500, error_messages={"required": "Say why."})
