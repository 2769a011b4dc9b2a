"""What is wrong with JSON that does not fit a msgspec type, in a sentence that its sender understands. Pure.

The member comes first, then what was expected of it, which is worked out from the type. `msgspec.Meta(description=…)`
says it in words where the type cannot, such as for a pattern.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import inspect

TOO_DEEP: Final = "nested too deeply"

_PLACE: Final = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_MISSING: Final = re.compile(r"Object missing required field `(?P<member>[^`]+)`")
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
        return _misfit(str(error), kind)
    if isinstance(error, msgspec.DecodeError):
        said = str(error)
        why = "it ends too early" if said == _CUT else said.removeprefix(_MALFORMED)
        return f"it is not JSON: {why}"
    return str(error)


def expected(member: str, kind: Any) -> str:
    """Return what is expected of a member, such as "account must be a text of 1 to 128 characters"."""
    described = " or ".join(_described(_at(_type_of(kind), member)))
    return f"{member or 'it'} must be {described}" if described else f"{member or 'it'} cannot be read"


def _misfit(said: str, kind: Any) -> str:
    found = _PLACE.search(said)
    path = found["path"].removeprefix(".") if found else ""
    if missing := _MISSING.match(said):
        return f"{path}.{missing['member']} is missing" if path else f"{missing['member']} is missing"
    given = _NOT_ALLOWED.match(said)
    return f"{expected(path, kind)}{f', not {given[1]}' if given else ''}"


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
        case inspect.StructType(fields=fields) if member is not None:
            yield from (field.type for field in fields if field.encode_name == member)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item) if member is None:
            yield item


def _alternatives(kind: inspect.Type) -> Sequence[inspect.Type]:
    """What it may be, apart from null, which stands for what is absent."""
    if isinstance(kind, inspect.UnionType):
        return [one for one in kind.types if not isinstance(one, inspect.NoneType)]
    return [kind]


def _described(kind: inspect.Type) -> Iterator[str]:
    for one in _alternatives(kind):
        if isinstance(one, inspect.Metadata):
            said = (one.extra_json_schema or {}).get("description")
            yield from [said] if said else _described(one.type)
        elif described := _in_words(one):
            yield described


def _in_words(kind: inspect.Type) -> str:
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
