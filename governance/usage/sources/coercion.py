"""Convert values that other programs write to the types of the wire format; drop those that do not fit. Pure.

Numbers may be written as text, and whole ones with a point.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from governance.usage.wire import Count


def coerce_members(members: Mapping[str, Any], struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Those of the members that the struct takes."""
    kinds = _kinds(struct)
    typed = {member: coerce_text(value, kinds[member]) for member, value in members.items()}
    return {member: value for member, value in typed.items() if _fits(value, kinds[member])}


def coerce_count(value: Any) -> int | None:
    """The count that this is; None where it is none."""
    typed = coerce_text(value, Count)
    return typed if _fits(typed, Count) else None


def coerce_text(value: Any, kind: Any) -> Any:
    """A value that is written as text, such as "True" or "12", as what it stands for; any other as it is."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, str):
        return value
    try:
        return msgspec.convert(value.strip(), kind, strict=False)
    except ValueError:
        return _whole(value, kind)


def _whole(text: str, kind: Any) -> Any:
    """A text such as "12.0" as a whole number; any other as it is."""
    try:
        number = float(text)
        return msgspec.convert(int(number), kind) if number.is_integer() else text
    except (ValueError, OverflowError):
        return text


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except ValueError:
        return False
    return not (isinstance(value, str) and "\0" in value)


@cache
def _kinds(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(struct)}
