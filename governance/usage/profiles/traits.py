"""Traits: what an event has or has not, such as a fixed seed. Each is declared once, in `TRAITS`. Pure.

To add one for a detector: a line in `TRAITS` with the next free code, and a field `<name>_share` in `account_usage`.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np

from governance.usage.markers import ABOUT_MAKING_MARKERS, GENERATION_MARKERS, WORK_MARKERS, marker_mask
from governance.usage.profiles.entries import Numbers
from governance.usage.reading.manner import Manner

COLD: Final = 0.25
HOT: Final = 0.6
SHORT_CAP: Final = 64
LIST_ITEMS: Final = 5
LIST_TIMES: Final = 4


def is_present(column: Sequence[Any]) -> Numbers:
    """Return a boolean for each value: whether it is not null."""
    return np.array([value is not None for value in column], dtype=bool)


def int_array(column: Sequence[Any]) -> Numbers:
    """Return the numbers, 0 for null."""
    return np.array([value or 0 for value in column], dtype=np.int64)


class EventArrays:
    """The columns of a batch (see `usage.event_columns`) as arrays of shape (events,), made when first used."""

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        self._columns = columns

    def flags(self, name: str) -> Numbers:
        return np.array(self._columns[name], dtype=bool)

    def floats(self, name: str) -> Numbers:
        """Return the numbers, NaN for null, so that every comparison with it is false."""
        return np.array(self._columns[name], dtype=float)

    def int_array(self, name: str) -> Numbers:
        return int_array(self._columns[name])

    def is_present(self, name: str) -> Numbers:
        return is_present(self._columns[name])

    @cached_property
    def temperature(self) -> Numbers:
        return self.floats("temperature")

    @cached_property
    def markers(self) -> Numbers:
        return self.int_array("markers")

    @cached_property
    def manner(self) -> Numbers:
        return self.int_array("manner")

    @cached_property
    def has_manner(self) -> Numbers:
        return self.is_present("manner")

    def has_marker(self, *names: str) -> Numbers:
        """Return whether an event has one of these markers."""
        return (self.markers & marker_mask(names)) > 0

    def is_written(self, manner: Manner) -> Numbers:
        """Return whether an event's prompt has this manner."""
        return (self.manner & int(manner)) > 0

    @cached_property
    def has_tools(self) -> Numbers:
        return self.int_array("tools") > 0

    @cached_property
    def has_text(self) -> Numbers:
        return self.is_present("prompt_digest")

    @cached_property
    def has_system(self) -> Numbers:
        return self.is_present("system_digest")

    @cached_property
    def has_end_user(self) -> Numbers:
        return self.is_present("end_user")

    @cached_property
    def has_conversation(self) -> Numbers:
        return self.is_present("conversation")

    @cached_property
    def is_structured(self) -> Numbers:
        return np.array([bool(one) and one.startswith("json") for one in self._columns["response_format"]], dtype=bool)

    @cached_property
    def is_follow_up(self) -> Numbers:
        return self.floats("turns") > 1

    @cached_property
    def is_standalone(self) -> Numbers:
        """Without end user, conversation, earlier turn, tools or a schema for the answer."""
        linked = self.has_end_user | self.has_conversation | self.has_tools | self.is_structured | self.is_follow_up
        return ~linked

    @cached_property
    def is_counted(self) -> Numbers:
        """Whether input and output tokens are both known."""
        return self.is_present("input_tokens") & self.is_present("output_tokens")

    @cached_property
    def is_answered(self) -> Numbers:
        """Whether the text of the answer was reported."""
        return self.int_array("answer_chars") > 0

    @cached_property
    def is_listed_answer(self) -> Numbers:
        """Whether the answer is a list, and several times as long as all that was sent: made, not taken from it."""
        is_long = self.int_array("answer_chars") > LIST_TIMES * self.int_array("prompt_chars")
        return self.has_text & is_long & (self.int_array("answer_items") >= LIST_ITEMS)

    @cached_property
    def is_long_output(self) -> Numbers:
        return self.int_array("output_tokens") > 4 * np.maximum(self.int_array("input_tokens"), 8)


class ShareOf(Enum):
    """Of which events `<name>_share` is a share."""

    EVENTS = auto()
    TEXTS = auto()  # those with text
    ANSWERED = auto()  # those whose answer was reported
    COUNTED = auto()  # those whose tokens are known; computed from token counts alone


class EventTrait(NamedTuple):
    """A property of events. `code` is stored in profiles: never change one, and never use one again."""

    code: int
    name: str
    share_of: ShareOf
    compute: Callable[[EventArrays], Numbers]


_EVENTS, _TEXTS, _COUNTED = ShareOf.EVENTS, ShareOf.TEXTS, ShareOf.COUNTED
_ANSWERED: Final = ShareOf.ANSWERED

TRAITS: Final = (
    EventTrait(0, "stream", _EVENTS, lambda events: events.flags("stream")),
    EventTrait(1, "seeded", _EVENTS, lambda events: events.flags("seeded")),
    EventTrait(2, "logprobs", _EVENTS, lambda events: events.flags("logprobs")),
    EventTrait(3, "cold", _EVENTS, lambda events: events.temperature < COLD),
    EventTrait(4, "hot", _EVENTS, lambda events: events.temperature >= HOT),
    EventTrait(5, "unset_temperature", _EVENTS, lambda events: np.isnan(events.temperature)),
    EventTrait(6, "tools", _EVENTS, lambda events: events.has_tools),
    EventTrait(7, "structured", _EVENTS, lambda events: events.is_structured),
    EventTrait(8, "short_cap", _EVENTS, lambda events: events.floats("max_tokens") <= SHORT_CAP),
    EventTrait(9, "reasoning", _COUNTED, lambda events: events.int_array("reasoning_tokens") > 0),
    EventTrait(10, "long_output", _COUNTED, lambda events: events.is_counted & events.is_long_output),
    EventTrait(11, "standalone", _EVENTS, lambda events: events.is_standalone),
    EventTrait(
        12,
        "varied",
        _EVENTS,
        lambda events: events.is_standalone & ((events.temperature >= HOT) | (events.int_array("n") > 1)),
    ),
    EventTrait(13, "end_user", _EVENTS, lambda events: events.has_end_user),
    EventTrait(14, "conversation", _EVENTS, lambda events: events.has_conversation),
    EventTrait(15, "text", _EVENTS, lambda events: events.has_text),
    EventTrait(16, "system", _TEXTS, lambda events: events.has_system),
    EventTrait(17, "follow_up", _TEXTS, lambda events: events.is_follow_up),
    EventTrait(18, "bare", _TEXTS, lambda events: events.has_text & events.is_standalone & ~events.has_system),
    EventTrait(19, "making", _TEXTS, lambda events: events.has_marker(*GENERATION_MARKERS)),
    EventTrait(20, "work", _TEXTS, lambda events: events.has_marker(*WORK_MARKERS)),
    EventTrait(21, "first_ask", _TEXTS, lambda events: events.is_written(Manner.FIRST_ASK)),
    EventTrait(
        22, "item", _TEXTS, lambda events: events.is_written(Manner.COMPLETE) & ~events.has_marker(*WORK_MARKERS)
    ),
    EventTrait(23, "person", _TEXTS, lambda events: events.is_written(Manner.PERSON)),
    EventTrait(24, "polite", _TEXTS, lambda events: events.is_written(Manner.POLITE)),
    EventTrait(25, "given", _TEXTS, lambda events: events.is_written(Manner.GIVEN)),
    EventTrait(26, "about_making", _TEXTS, lambda events: events.has_marker(*ABOUT_MAKING_MARKERS)),
    EventTrait(
        27,
        "reasoned_item",
        _TEXTS,
        lambda events: events.has_marker("reasoning") & events.has_manner & ~events.is_written(Manner.PERSON),
    ),
    EventTrait(28, "exercise", _TEXTS, lambda events: events.has_marker("mathematics") & events.is_written(Manner.SUM)),
    EventTrait(29, "manner_known", _TEXTS, lambda events: events.has_manner),
    EventTrait(30, "answered", _EVENTS, lambda events: events.is_answered),
    EventTrait(31, "listed_answer", _ANSWERED, lambda events: events.is_listed_answer),
)
TRAIT_NAMES: Final = {trait.code: trait.name for trait in TRAITS}
TRAIT_CODES: Final = {trait.name: trait.code for trait in TRAITS}


def trait_codes(events: EventArrays, traits: Sequence[EventTrait] = TRAITS) -> tuple[Numbers, Numbers]:
    """Return two arrays of shape (n,), one entry for each trait that an event has: the event's index, and the code.

    >>> events = EventArrays({"stream": [True, False, True], "seeded": [False, False, True]})
    >>> index, code = trait_codes(events, TRAITS[:2])
    >>> index.tolist(), code.tolist()
    ([0, 2, 2], [0, 0, 1])
    """
    index, column = np.nonzero(np.column_stack([trait.compute(events) for trait in traits]))
    return index, np.array([trait.code for trait in traits])[column]
