"""A span as it is read, whichever encoding it came in. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class SpanEvent(NamedTuple):
    """Something that happened during a span."""

    name: str
    attributes: Mapping[str, Any]


class TraceSpan(NamedTuple):
    """A span as either encoding says it: times in nanoseconds since 1970, attributes over those of its resource.

    `number` counts the spans of an export from 1.
    """

    number: int
    trace_id: bytes
    span_id: bytes
    start: int
    end: int
    failed: bool
    is_server: bool
    attributes: Mapping[str, Any]
    events: Sequence[SpanEvent]


def number_of(value: str | float) -> float | int:
    """The number, whole where it can be: some languages know one kind of number only, and JSON has text for large ones.

    Raises ValueError, which does not repeat what stands there: it might be a customer's words.
    """
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise ValueError("what an attribute gives as a number is none") from None
    return int(number) if number.is_integer() else number
