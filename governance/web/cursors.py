"""Keyset pages: where the next page of a list begins.

A cursor holds the values by which the list is sorted, of the last row of a page, and not which row that was: the row
may move or be gone before the next page is asked for, and none of the others must be left out for that. In addresses a
cursor is signed, so that its values are always those of a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from django import forms
from django.core import signing
from django.db.models import Model, Q, QuerySet

SALT: Final = "where the next page begins"
LONGEST: Final = 1_000

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The values of `order` at the last row of a page, such as those of `("-score", "pk")`."""

    order: tuple[str, ...]
    values: tuple[Any, ...]

    @classmethod
    def at(cls, row: object, order: Sequence[str]) -> "Cursor":
        return cls(tuple(order), tuple(_value(row, column) for column in order))

    def __str__(self) -> str:
        values = [one.isoformat() if isinstance(one, datetime) else one for one in self.values]
        texts = [one if one is None or isinstance(one, int) else str(one) for one in values]
        return signing.dumps([list(self.order), texts], salt=SALT)


class CursorField(forms.CharField):
    """The cursor in an address; None where there is none."""

    def __init__(self) -> None:
        super().__init__(max_length=LONGEST, required=False, empty_value=None)

    def clean(self, value: Any) -> Cursor | None:
        text = super().clean(value)
        if text is None:
            return None
        try:
            order, values = signing.loads(text, salt=SALT)
        except signing.BadSignature:
            raise forms.ValidationError("The list cannot continue from here. Go back to its first page.") from None
        return Cursor(tuple(order), tuple(values))


def rows_after(rows: QuerySet[M], cursor: Cursor | None, order: Sequence[str]) -> QuerySet[M]:
    """Return the rows that follow a cursor in this order; all where it is that of a list in another order, which begins
    with its first page.
    """
    if cursor is None or cursor.order != tuple(order):
        return rows
    return rows.filter(later(order, cursor.values))


def later(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Return the condition for what follows a row with these values in a list of this order."""
    follows, same = Q(), Q()
    for column, value in zip(order, values, strict=True):
        name = column.removeprefix("-")
        follows |= same & Q(**{f"{name}__{'lt' if column.startswith('-') else 'gt'}": value})
        same &= Q(**{name: value})
    # This follows from the rest; it is what the index can use.
    edge = "lte" if order[0].startswith("-") else "gte"
    return Q(**{f"{order[0].removeprefix('-')}__{edge}": values[0]}) & follows


def _value(row: object, column: str) -> Any:
    value: Any = row
    for name in column.removeprefix("-").split("__"):
        value = getattr(value, name)
    return value
