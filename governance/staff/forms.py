import json
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from governance.staff.credentials import ClientOrigin, TooManyAttemptsError, check_credentials
from governance.staff.hashing import HashingBusyError
from governance.staff.models import User
from governance.staff.passwords import WrongPasswordError, check_own_password

LONGEST_PASSWORD: Final = 1_000
LONGEST_CREDENTIAL: Final = 16_000
TRY_LATER: Final = {"wait": 900, "busy": 5}  # codes of errors, and after how many seconds to try again
WRONG_CREDENTIALS = ValidationError("The e-mail address or the password is wrong.", code="invalid_login")
TOO_MANY = ValidationError("Too many attempts. Try again in 15 minutes.", code="wait")
BUSY = ValidationError("Many people are signing in at the moment. Try again in a few seconds.", code="busy")


class SignInForm(AuthenticationForm):
    """E-mail and password of somebody active."""

    username = forms.EmailField(max_length=254, error_messages={"invalid": "Enter an e-mail address."})
    password = forms.CharField(max_length=LONGEST_PASSWORD, strip=False, widget=forms.PasswordInput)

    def __init__(self, *args: Any, origin: ClientOrigin, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.origin = origin

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        email, password = given.get("username"), given.get("password")
        if not (email and password):
            return given
        try:
            self.user_cache = check_credentials(email, password, origin=self.origin, now=timezone.now())
        except TooManyAttemptsError as error:
            raise TOO_MANY from error
        except HashingBusyError as error:
            raise BUSY from error
        if self.user_cache is None:
            raise WRONG_CREDENTIALS
        return given


class ChangePasswordForm(forms.Form):
    """The present password, and a new one twice."""

    present = forms.CharField(
        max_length=LONGEST_PASSWORD, strip=False, error_messages={"required": "Enter your current password."}
    )
    new = forms.CharField(
        max_length=LONGEST_PASSWORD, strip=False, error_messages={"required": "Enter a new password."}
    )
    again = forms.CharField(
        max_length=LONGEST_PASSWORD, strip=False, error_messages={"required": "Repeat the new password."}
    )

    def __init__(self, data: Any = None, *, user: User, now: datetime) -> None:
        super().__init__(data)
        self.user, self.now = user, now

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if self.errors:
            return given
        if given["new"] != given["again"]:
            self.add_error("again", "The passwords do not match.")
            return given
        try:
            validate_password(given["new"], self.user)
        except ValidationError as error:
            self.add_error("new", error)
            return given
        try:
            check_own_password(self.user, given["present"], now=self.now)
        except WrongPasswordError:
            self.add_error("present", "This is not your current password.")
        except TooManyAttemptsError as error:
            raise TOO_MANY from error
        except HashingBusyError as error:
            raise BUSY from error
        return given


class OwnPasswordForm(forms.Form):
    """The user's own password, entered again before something that a stolen session must not do."""

    password = forms.CharField(
        max_length=LONGEST_PASSWORD, strip=False, error_messages={"required": "Enter your password."}
    )

    def __init__(self, data: Any = None, *, user: User, now: datetime) -> None:
        super().__init__(data)
        self.user, self.now = user, now

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if self.errors:
            return given
        try:
            check_own_password(self.user, given["password"], now=self.now)
        except WrongPasswordError:
            self.add_error("password", "This is not your password.")
        except TooManyAttemptsError as error:
            raise TOO_MANY from error
        except HashingBusyError as error:
            raise BUSY from error
        return given


class CodeForm(forms.Form):
    """A code of an authenticator app, or a recovery code; people write them with blanks between."""

    code = forms.CharField(max_length=20, error_messages={"required": "Enter a code."})


class AddAppForm(CodeForm, OwnPasswordForm):
    """The code shows that the app has the secret, the password that the user is there."""


class CredentialField(forms.CharField):
    """What a browser answers for a passkey: an object in JSON."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        try:
            given = json.loads(text) if len(text) <= LONGEST_CREDENTIAL else None
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            raise ValidationError("Use a browser that knows passkeys, with JavaScript.")
        return given


class PasskeyForm(forms.Form):
    credential = CredentialField()


class AddPasskeyForm(PasskeyForm, OwnPasswordForm):
    """A new passkey; its name tells the user's devices apart."""

    name = forms.CharField(max_length=60, error_messages={"required": "Enter a name, such as that of the device."})
