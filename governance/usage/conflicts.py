"""Events that bear the id of an earlier one, and whether they say the same. Pure."""

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

from governance.usage.wire import UsageEvent

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# Senders round times differently.
TIME_TOLERANCE: Final = timedelta(milliseconds=1) // _MICROSECOND


class EventDifference(IntEnum):
    """In what an event differs from the stored one with its id."""

    NONE = 0
    TIME = 1  # a gateway may take a new time for each attempt to send
    CONTENT = 2


class EventSummary(NamedTuple):
    """What an event says: its time in microseconds since 1970, its model, and its tokens, None where not counted."""

    at: int
    model: str
    input_tokens: int | None
    output_tokens: int | None

    @property
    def is_uncounted(self) -> bool:
        return self.input_tokens is None and self.output_tokens is None

    @classmethod
    def by(cls, event: UsageEvent) -> "EventSummary":
        at = (event.occurred_at - _EPOCH) // _MICROSECOND
        return cls(at, event.model, event.input_tokens, event.output_tokens)

    def difference(self, later: "EventSummary") -> EventDifference:
        """How a later report of the same event differs. Tokens that either of them does not know are no difference."""
        tokens = ((self.input_tokens, later.input_tokens), (self.output_tokens, later.output_tokens))
        if self.model != later.model or any(None not in both and both[0] != both[1] for both in tokens):
            return EventDifference.CONTENT
        return EventDifference.TIME if abs(self.at - later.at) > TIME_TOLERANCE else EventDifference.NONE
