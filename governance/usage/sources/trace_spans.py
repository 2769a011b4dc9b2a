"""A span as it is read, whichever encoding it came in. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class SpanEvent(NamedTuple):
    """Something that happened during a span."""

    name: str
    attributes: Mapping[str, Any]


class TraceSpan(NamedTuple):
    """A span as either encoding says it: times in nanoseconds since 1970.

    `number` counts the spans of an export from 1. Attributes of the resource count where the span has none, but what
    kind of span it is only its own attributes say: a resource describes the program, such as a function (`faas.name`).
    """

    number: int
    trace_id: bytes
    span_id: bytes
    start: int
    end: int
    failed: bool
    is_server: bool
    own_attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    events: Sequence[SpanEvent]

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Those of the span, over those of its resource."""
        return {**self.resource, **self.own_attributes}


def parse_number(value: str | float) -> float | int:
    """The number, whole where it can be: some languages know one kind of number only, and JSON has text for large ones.

    Raises ValueError, which does not repeat what stands there: it might be a customer's words.
    """
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise ValueError("what an attribute gives as a number is none") from None
    return int(number) if number.is_integer() else number
