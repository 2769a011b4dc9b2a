from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import QueryDict

from governance.web.flags import parse_flag

TICKED: Final = "on"  # as browsers send a checkbox without a value


class TypedTextField(forms.CharField):
    """Text that a person types: its limit counts characters as the page's counter does (static/drafts.js).

    A line break is one character, whether the browser sends LF or CR LF, and so is every code point.
    """

    def to_python(self, value: Any) -> str | None:
        if isinstance(value, str):
            value = value.replace("\r\n", "\n").replace("\r", "\n")
        return super().to_python(value)


class SignedField(forms.CharField):
    """Something that a page sends back as it was given, signed: nobody can say that they have seen more than they were
    shown. Where it is not required, what cannot be read counts as not given.

    `parse` makes the value of it, and raises TypeError or ValueError where it is not of the right kind.
    """

    salt: ClassVar[str]
    complaint: ClassVar[str]

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=300, widget=forms.HiddenInput, **options)

    def clean(self, value: Any) -> Any:
        if not (text := super().clean(value)):
            return None
        try:
            return self.parse(signing.loads(text, salt=self.salt))
        except (signing.BadSignature, TypeError, ValueError):
            if not self.required:
                return None
            raise ValidationError(self.complaint) from None

    def parse(self, given: Any) -> Any:
        raise NotImplementedError


class _FlagInput(forms.CheckboxInput):
    """Hands over what was sent, which Django's own takes for true whatever it says."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        sent = data.getlist(name) if isinstance(data, QueryDict) else [data[name]] if name in data else []
        return sent[0] if len(sent) == 1 else sent or False


class FlagField(forms.BooleanField):
    """A checkbox that may be left empty; blank counts as empty. Sent by a machine it is true, 1, false or 0, and
    anything else is refused.
    """

    widget = _FlagInput

    def __init__(self) -> None:
        super().__init__(required=False)

    def to_python(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        try:
            return value == TICKED or (value != "" and parse_flag(value))
        except (ValueError, TypeError):
            raise ValidationError("Tick this or leave it empty: on, true, false, 1 or 0, once.") from None
