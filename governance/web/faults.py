"""What is wrong with JSON or TOML that does not fit a msgspec type, in a sentence that its sender understands. Pure.

The member comes first, then what was expected of it, which is worked out from the type. `msgspec.Meta(description=…)`
says it in words where the type cannot, such as for a pattern.
"""

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import inspect

from governance.web.misspelling import with_nearest

TOO_DEEP: Final = "nested too deeply"

_PLACE: Final = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_MISSING: Final = re.compile(r"Object missing required field `(?P<member>[^`]+)`")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(?P<member>[^`]+)`")
_NOT_ALLOWED: Final = re.compile(r"Invalid enum value (.*?)(?: - at `|$)")
_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[(?:\d+|\.\.\.)\]")
_CUT: Final = "Input data was truncated"
_MALFORMED: Final = "JSON is malformed: "
_PLAIN: Final[dict[type[inspect.Type], str]] = {
    inspect.BoolType: "true or false",
    inspect.DateTimeType: "a time such as 2026-11-02T09:14:07Z",
    inspect.StructType: "a JSON object",
    inspect.DictType: "a JSON object",
}


def plain_fault(error: Exception, kind: Any) -> str:
    """Return what is wrong, as a sentence without its full stop, of what was to be a `kind`.

    `error` is what reading it raised. A ValueError of our own has its words already.
    """
    if isinstance(error, RecursionError):
        return TOO_DEEP
    if isinstance(error, UnicodeError):
        return "it is not UTF-8"
    if isinstance(error, msgspec.ValidationError):
        return _own_fault(error) or _misfit(str(error), kind)
    if isinstance(error, msgspec.DecodeError):
        said = str(error)
        why = "it ends too early" if said == _CUT else said.removeprefix(_MALFORMED)
        return f"it is not JSON: {why}"
    return str(error)


def describe_expected(member: str, kind: Any) -> str:
    """Return what is expected of a member, such as "account must be a text of 1 to 128 characters"."""
    described = " or ".join(_descriptions(_at(_type_of(kind), member)))
    return f"{member or 'it'} must be {described}" if described else f"{member or 'it'} cannot be read"


def _own_fault(error: msgspec.ValidationError) -> str:
    """What the `__post_init__` of a type says is wrong, after the place of the object; empty if it was not that."""
    if not isinstance(error.__cause__, ValueError):
        return ""
    found = _PLACE.search(str(error))
    path = found["path"].removeprefix(".") if found else ""
    return f"{path}: {error.__cause__}" if path else str(error.__cause__)


def _misfit(said: str, kind: Any) -> str:
    found = _PLACE.search(said)
    path = found["path"].removeprefix(".") if found else ""
    if missing := _MISSING.match(said):
        return f"{path}.{missing['member']} is missing" if path else f"{missing['member']} is missing"
    if unknown := _UNKNOWN.match(said):
        known = list(_members(_at(_type_of(kind), path)))
        named = with_nearest(unknown["member"], known)
        return f"{f'{path}.' if path else ''}{named} is not known. Allowed: {', '.join(known)}"
    given = _NOT_ALLOWED.match(said)
    return f"{describe_expected(path, kind)}{f', not {given[1]}' if given else ''}"


@lru_cache(maxsize=64)
def _type_of(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _at(kind: inspect.Type, path: str) -> inspect.Type:
    """The type of the member at a path such as keys[0].digest."""
    for step in _STEP.finditer(path):
        kind = next((inner for one in _alternatives(kind) for inner in _inside(one, step[1])), inspect.AnyType())
    return kind


def _inside(kind: inspect.Type, member: str | None) -> Iterator[inspect.Type]:
    match kind:
        case inspect.StructType() if member is not None:
            yield from (field.type for field in kind.fields if field.encode_name == member)
        case (
            inspect.ListType(item_type=item)
            | inspect.VarTupleType(item_type=item)
            | inspect.SetType(item_type=item)
            | inspect.FrozenSetType(item_type=item)
        ) if member is None:
            yield item
        case inspect.TupleType(item_types=[item, *_]) if member is None:
            yield item  # those that we have are all of one type
        case inspect.Metadata(type=inner):
            yield from _inside(inner, member)


def _members(kind: inspect.Type) -> Iterator[str]:
    for one in _alternatives(kind):
        if isinstance(one, inspect.Metadata):
            yield from _members(one.type)
        elif isinstance(one, inspect.StructType):
            yield from (field.encode_name for field in one.fields)


def _alternatives(kind: inspect.Type) -> Sequence[inspect.Type]:
    """What it may be, apart from null, which stands for what is absent."""
    if isinstance(kind, inspect.UnionType):
        return [one for one in kind.types if not isinstance(one, inspect.NoneType)]
    return [kind]


def _descriptions(kind: inspect.Type) -> Iterator[str]:
    for one in _alternatives(kind):
        if isinstance(one, inspect.Metadata):
            said = (one.extra_json_schema or {}).get("description")
            yield from [said] if said else _descriptions(one.type)
        elif described := _in_words(one):
            yield described


def _in_words(kind: inspect.Type) -> str:  # noqa: PLR0911 - one of each type
    match kind:
        case inspect.StrType(min_length=least, max_length=most):
            return f"a text{_of_length(least, most, 'character')}"
        case inspect.ListType() | inspect.VarTupleType():
            return f"a list{_of_length(kind.min_length, kind.max_length, 'element')}"
        case inspect.IntType():
            return f"a whole number{_range(kind)}"
        case inspect.FloatType():
            return f"a number{_range(kind)}"
        case inspect.LiteralType(values=values):
            return f"one of {', '.join(map(str, values))}"
        case inspect.EnumType(cls=cls) | inspect.CustomType(cls=cls) if issubclass(cls, Enum):  # Django's are custom
            return f"one of {', '.join(str(one.value) for one in cls)}"
        case _:
            return _PLAIN.get(type(kind), "")


def _of_length(least: int | None, most: int | None, unit: str) -> str:
    if most is None:
        return f" of at least {least} {unit}{'' if least == 1 else 's'}" if least else ""
    return f" of {f'{least} to' if least else 'at most'} {most:,} {unit}{'' if most == 1 else 's'}"


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    least = kind.ge
    most = kind.le if kind.le is not None or kind.lt is None else kind.lt - 1
    if least is None:
        return "" if most is None else f" of at most {_figure(most)}"
    return f" of at least {_figure(least)}" if most is None else f" from {_figure(least)} to {_figure(most)}"


def _figure(number: float) -> str:
    return f"{int(number):,}" if float(number).is_integer() else f"{number:,}"
