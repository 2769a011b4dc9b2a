"""Forms of the policy pages."""

from typing import Final

from django import forms

from governance.web.fields import TypedTextField

EXAMPLE: Final = """\
version = "2026-12"

[[rule]]
name = "Large campaigns on pay-as-you-go plans"
score = 85
campaign_size = 10
plans = ["payg"]
action = "watch"
reason = "coordinated_accounts"
"""


class ProposalForm(forms.Form):
    content = TypedTextField(max_length=20_000, strip=False, error_messages={"required": "Enter the policy."})


class LiveForm(forms.Form):
    why = TypedTextField(
        max_length=500,
        required=False,
        error_messages={"max_length": "Give a reason of at most 500 characters."},
    )


class SwitchForm(forms.Form):
    why = TypedTextField(max_length=500, error_messages={"required": "Enter a reason."})
