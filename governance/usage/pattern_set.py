"""Markers and topics of a text, found in one pass of one compiled set of patterns. Pure.

Hyperscan compiles all patterns into one automaton, so that a text costs about the same however many there are. It
reads bytes, knows no look-around and reports a pattern at most once a text, which is all that is asked here.
"""

import threading
from collections.abc import Iterable
from functools import cache
from typing import Any, Final, NamedTuple

import hyperscan

from governance.usage.markers import MARKER_BITS, PATTERNS
from governance.usage.topics import OTHER_TOPIC, TOPIC_NUMBERS, TOPIC_PATTERNS

_TOPIC: Final = 1000


class PatternMatches(NamedTuple):
    """A bit mask of markers (see `governance.usage.markers`) and the number of a topic."""

    markers: int
    topic: int


def match_patterns(texts: Iterable[str]) -> list[PatternMatches]:
    """What the patterns find in each text, which must be in lower case and without line breaks."""
    database, scratch = _database(), _scratch()
    seen: list[int] = []

    def note(number: int, *_: Any) -> None:
        seen.append(number)

    found = []
    for text in texts:
        seen.clear()
        database.scan(text.encode(), match_event_handler=note, scratch=scratch)
        found.append(_matches(seen))
    return found


def _matches(numbers: list[int]) -> PatternMatches:
    markers, topic = 0, OTHER_TOPIC
    for number in numbers:
        if number < _TOPIC:
            markers |= 1 << number
        elif topic == OTHER_TOPIC or number - _TOPIC < topic:
            topic = number - _TOPIC
    return PatternMatches(markers, topic)


@cache
def _database() -> hyperscan.Database:
    numbered = [(pattern, MARKER_BITS[name]) for name, patterns in PATTERNS.items() for pattern in patterns]
    numbered += [(pattern, _TOPIC + TOPIC_NUMBERS[name]) for name, pattern in TOPIC_PATTERNS.items()]
    database = hyperscan.Database()
    database.compile(
        expressions=[pattern.encode() for pattern, _ in numbered],
        ids=[number for _, number in numbered],
        elements=len(numbered),
        flags=hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_UTF8,
    )
    return database


class _Scratch(threading.local):
    """What a scan writes on while it runs, so every thread has its own."""

    def __init__(self) -> None:
        self.space = hyperscan.Scratch(_database())


_of_thread: _Scratch | None = None


def _scratch() -> hyperscan.Scratch:
    global _of_thread  # noqa: PLW0603 - made when the first text comes, since compiling takes a moment
    _of_thread = _of_thread or _Scratch()
    return _of_thread.space
