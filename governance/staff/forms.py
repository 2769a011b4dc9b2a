from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils import timezone

from governance.staff.queries import too_many_failures


class SignInForm(AuthenticationForm):
    """E-mail and password; after several failures an address must wait, whether somebody has it or not."""

    def clean(self) -> dict[str, Any]:
        email = self.cleaned_data.get("username")
        if email and too_many_failures(email, now=timezone.now()):
            raise forms.ValidationError("Too many attempts. Wait a quarter of an hour, then try again.", code="wait")
        return super().clean()
