"""Values that are true or false: strict, since a flag that is misread as false does what it was to prevent."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

WORDS: Final = {"true": True, "1": True, "false": False, "0": False}


def parse_flag(value: str) -> bool:
    """The truth value of a query parameter: true, 1, false or 0. Raises ValueError for anything else."""
    try:
        return WORDS[value]
    except KeyError:
        raise ValueError("Use true or false.") from None


@extend_schema_field(bool)
class JsonFlag(serializers.Field[bool, Any, bool, Any]):
    """A JSON boolean. Unlike REST framework's own field it refuses numbers and texts such as "true"."""

    default_error_messages = {"invalid": "This must be true or false, without quotation marks."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return bool(data)

    def to_representation(self, value: bool) -> bool:  # noqa: FBT001 - REST framework's signature
        return value


class QueryFlag(JsonFlag):
    """The same in a query, where every value is text."""

    default_error_messages = {"invalid": "Use true or false."}

    def to_internal_value(self, data: Any) -> bool:
        try:
            return parse_flag(data)
        except ValueError:
            self.fail("invalid")
