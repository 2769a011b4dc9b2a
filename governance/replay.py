"""A recorded world run through intake, scoring, campaigns and cases in the time of its events, as production would.

What is known at a step is what had come in by then, so that the record says when each account would first have been put
before a reviewer. The same run by another calibration or review line is the back-test of it.

The register is known from the start, and what production does on a timetable besides (retention, expiry of
restrictions) is left out: it decides nothing about scores.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from governance import pipeline
from governance.risk.scoring import REVIEW_LINE
from governance.usage.actions import OLDEST_IN_FILES, record_lines

BATCH: Final = 5_000
# Whoever is in the register was there before the world began.
LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
# Accounts scored at once; nobody else waits for the locks.
LIMIT: Final = 2_000


class Progress(NamedTuple):
    """Where a replay has come to. Counts are of all that went before, too."""

    at: datetime
    accepted: int
    duplicate: int
    rejected: int
    scored: int


class _When(msgspec.Struct):
    occurred_at: datetime


def replay(lines: Iterable[bytes], *, every: timedelta, review_line: int = REVIEW_LINE) -> Iterator[Progress]:
    """Run these usage events, lines of the wire format in order of time, through everything; a report after each step.

    After each step of `every`, counted from midnight UTC, whoever has new usage is scored as of its end. A line older
    than the step in which it is read counts as having come in late. Steps without events cost nothing.
    """
    accepted = duplicate = rejected = scored = 0
    for end, step in steps(lines, every=every):
        for start in range(0, len(step), BATCH):
            outcome = record_lines(step[start : start + BATCH], source="replay", now=end, oldest=OLDEST_IN_FILES)
            accepted += outcome.accepted
            duplicate += outcome.duplicate
            rejected += len(outcome.rejected)
        while claimed := pipeline.govern(now=end, limit=LIMIT, review_line=review_line):
            scored += claimed
        yield Progress(end, accepted, duplicate, rejected, scored)


def steps(lines: Iterable[bytes], *, every: timedelta) -> Iterator[tuple[datetime, list[bytes]]]:
    """The lines of each step with its end. A line that says no time goes with those around it, to be rejected there."""
    decoder = msgspec.json.Decoder(_When)
    end: datetime | None = None
    step: list[bytes] = []
    for line in lines:
        try:
            at = decoder.decode(line).occurred_at
        except msgspec.MsgspecError:
            at = None
        if at is not None and at.tzinfo is not None and (end is None or at >= end):
            if end is not None and step:
                yield end, step
                step = []
            end = _end_of_step(at, every)
        step.append(line)
    if end is not None and step:
        yield end, step


def _end_of_step(at: datetime, every: timedelta) -> datetime:
    seconds = every.total_seconds()
    return datetime.fromtimestamp((at.timestamp() // seconds + 1) * seconds, tz=at.tzinfo)
