from typing import Any

from django import forms


class TypedTextField(forms.CharField):
    """Text that a person types: its limit counts characters as the page's counter does (static/drafts.js).

    A line break is one character, whether the browser sends LF or CR LF, and so is every code point.
    """

    def to_python(self, value: Any) -> str | None:
        if isinstance(value, str):
            value = value.replace("\r\n", "\n").replace("\r", "\n")
        return super().to_python(value)
