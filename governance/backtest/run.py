"""Run recorded usage through intake, scoring, campaigns and cases in the time of its events, as production would.

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
from governance.detection.scoring import REVIEW_LINE
from governance.usage.actions import OLDEST_IN_FILES, record_lines
from governance.usage.models import DirtyAccount

LINES_AT_ONCE: Final = 5_000
# Accounts are registered before the first event.
REGISTERED_AT: Final = datetime(2000, 1, 1, tzinfo=UTC)
# Accounts scored at once: more than in production, since nothing else waits for the locks.
ACCOUNTS_AT_ONCE: Final = 2_000


class BacktestCounts(NamedTuple):
    """The progress of a backtest.

    Counts are of all steps so far; `waiting` accounts are still to be scored in this one.
    """

    at: datetime
    accepted: int
    duplicate: int
    rejected: int
    late: int
    scored: int
    waiting: int


class BacktestStep(NamedTuple):
    """Lines that are taken in before accounts are scored as of `end`; `late` of them are from before the step."""

    end: datetime
    lines: list[bytes]
    late: int


class _When(msgspec.Struct):
    occurred_at: datetime


def iter_backtest(
    lines: Iterable[bytes], *, every: timedelta, until: datetime | None = None, review_line: int = REVIEW_LINE
) -> Iterator[BacktestCounts]:
    """Run these usage events, lines of the wire format in order of time, through everything, and say how far it is.

    After each step of `every`, whole ones by the clock of UTC, accounts with new usage are scored as of its end. A line
    older than the step in which it is read counts as having come in late, then and there. Events from `until` on are
    left out. Steps without events cost nothing.
    """
    accepted = duplicate = rejected = late = scored = 0
    for step in split_into_steps(lines, every=every, until=until):
        late += step.late
        for start in range(0, len(step.lines), LINES_AT_ONCE):
            batch = step.lines[start : start + LINES_AT_ONCE]
            outcome = record_lines(batch, source="backtest", now=step.end, oldest=OLDEST_IN_FILES)
            accepted += outcome.accepted
            duplicate += outcome.duplicate
            rejected += len(outcome.rejected)
            yield BacktestCounts(step.end, accepted, duplicate, rejected, late, scored, _waiting(step.end))
        pipeline.rescore_changed_licences(now=step.end)
        while claimed := pipeline.govern(now=step.end, limit=ACCOUNTS_AT_ONCE, review_line=review_line):
            scored += claimed
            yield BacktestCounts(step.end, accepted, duplicate, rejected, late, scored, _waiting(step.end))


def count_accounts_that_failed_scoring() -> int:
    """Return how many accounts have usage that is in no score, because scoring failed."""
    return DirtyAccount.objects.count()


def _waiting(at: datetime) -> int:
    return DirtyAccount.objects.waiting(at=at).count()


def split_into_steps(
    lines: Iterable[bytes], *, every: timedelta, until: datetime | None = None
) -> Iterator[BacktestStep]:
    """The lines of each step with its end. A line that says no time goes with those around it, to be rejected there."""
    decoder = msgspec.json.Decoder(_When)
    end: datetime | None = None
    step: list[bytes] = []
    late = 0
    for line in lines:
        at = _time_of(line, decoder)
        if at is not None:
            if until is not None and at >= until:
                continue
            if end is None or at >= end:
                if end is not None:
                    yield BacktestStep(end, step, late)
                    step, late = [], 0
                end = _end_of_step(at, every)
            elif at < end - every:
                late += 1
        step.append(line)
    if end is not None:
        yield BacktestStep(end, step, late)


def _time_of(line: bytes, decoder: msgspec.json.Decoder[_When]) -> datetime | None:
    try:
        at = decoder.decode(line).occurred_at
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return at if at.tzinfo else None


def _end_of_step(at: datetime, every: timedelta) -> datetime:
    seconds = every.total_seconds()
    return datetime.fromtimestamp((at.timestamp() // seconds + 1) * seconds, tz=UTC)
