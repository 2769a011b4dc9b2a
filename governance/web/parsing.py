"""Strict parsing of API requests: a misspelt member is an error, not a missing one."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from rest_framework import serializers
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from governance.web.json_members import RepeatedMemberError, object_of_pairs
from governance.web.misspelling import nearest_name

DEEPEST: Final = 64
TOO_DEEP: Final = f"JSON here is nested at most {DEEPEST} deep."


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses members that it does not know."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := sorted(set(data) - set(self.fields))):
            known = ", ".join(self.fields)
            raise ValidationError(
                {name: f"There is no such member.{_hint(name, self.fields)} There are {known}." for name in unknown}
            )
        return super().to_internal_value(data)


def _hint(name: object, known: Iterable[str]) -> str:
    nearest = nearest_name(str(name), known)
    return f" Did you mean {nearest}?" if nearest else ""


class BoundedJsonParser(BaseParser):
    """JSON in UTF-8 that is nested no deeper than anything here is, holds no number that JSON does not know, and no
    member twice in one object: whichever counted, it might be the one that was not meant.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        try:
            text = stream.read().decode("utf-8-sig")
            parsed = json.loads(
                text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=object_of_pairs
            )
        except RepeatedMemberError as error:
            raise ParseError(str(error)) from error
        except RecursionError as error:
            raise ParseError(TOO_DEEP) from error
        except ValueError as error:
            raise ParseError(f"Invalid JSON: {error}") from error
        if _is_deeper(parsed, than=DEEPEST):
            raise ParseError(TOO_DEEP)
        return parsed


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number.")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:20]} is too large.")
    return number


def _is_deeper(value: Any, *, than: int) -> bool:
    level: list[Any] = [value]
    for _ in range(than):
        level = [member for one in level for member in _members(one)]
        if not level:
            return False
    return True


def _members(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def parse_query(request: Request) -> dict[str, str]:
    """The query parameters. Raises ValidationError where one is given more than once."""
    if repeated := [name for name, values in request.query_params.lists() if len(values) > 1]:
        raise ValidationError(dict.fromkeys(repeated, "Give this once."))
    return request.query_params.dict()


def parse_object(request: Request) -> dict[str, Any]:
    """The body, which must be a JSON object, or empty. Raises ValidationError."""
    data = request.data
    if not isinstance(data, dict):
        raise ValidationError("This must be a JSON object.")
    return dict(data)
