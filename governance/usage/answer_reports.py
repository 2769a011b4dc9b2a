"""Answers of models that are reported several times, in any order: begun in the background, finished, and read.

A row stands for each such answer of an account for some days. It keeps figures that were read before the event was
reported, and says whether the answer has an event already. Everything runs in the caller's transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec
from django.db import connection

from governance.usage import event_store, sql
from governance.usage.conflicts import EventSummary
from governance.usage.event_store import AnswerReport
from governance.usage.wire import UsageEvent, has_token_counts, with_later_token_counts

ANSWER_RETENTION: Final = timedelta(days=3)
TOKEN_FIELDS: Final = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens")


class ResolvedAnswers(NamedTuple):
    """The events that reports of answers amount to.

    Args:
        events: events to store, by their keys.
        reported_as: by the same keys, that of the report which tells of the event.
        figures: by the keys of events that are stored already, what completes them.
    """

    events: dict[str, UsageEvent]
    reported_as: dict[str, str]
    figures: dict[str, UsageEvent]


class _Answer(msgspec.Struct):
    """The row of an answer.

    `is_finished`: its first report had its tokens, and is an event under that report's own key.
    `in_background`: some report came without; then all reports of the answer are one event.
    """

    key: str
    is_finished: bool
    in_background: bool
    input_tokens: int | None
    output_tokens: int | None
    cached_input_tokens: int | None
    reasoning_tokens: int | None

    def keep(self, event: UsageEvent) -> None:
        for name in TOKEN_FIELDS:
            setattr(self, name, getattr(event, name))

    def with_figures(self, event: UsageEvent) -> UsageEvent:
        """Return the event, with the figures that were read before it was reported."""
        kept = {name: getattr(self, name) for name in TOKEN_FIELDS}
        return (
            event if None in kept.values() else with_later_token_counts(event, msgspec.structs.replace(event, **kept))
        )


def resolve_answers(reports: Sequence[AnswerReport], *, now: datetime) -> ResolvedAnswers:
    """Return the events and figures that follow from these reports, and keep what later reports need.

    The rows are locked until the transaction ends, so that batches at once settle an answer one after the other.
    """
    settled = ResolvedAnswers({}, {}, {})
    if not reports:
        return settled
    answers = _lock(sorted({one.answer for one in reports}), now=now)
    stored = event_store.find_events({one.answer: one.report.event.occurred_at for one in reports})
    for one in reports:
        _settle(one, answers[one.answer], stored, settled)
    _save(list(answers.values()))
    return settled


def _settle(one: AnswerReport, answer: _Answer, stored: Mapping[str, EventSummary], settled: ResolvedAnswers) -> None:
    """Take in one report of an answer. Only an answer made in the background has its event under the answer's key."""
    event, key = one.report.event, one.answer
    is_begun = key in settled.events or key in stored
    begins = one.report.in_background or not has_token_counts(event)
    if one.report.is_event and begins:
        answer.in_background = True
        if not is_begun and not answer.is_finished:
            settled.events[key], settled.reported_as[key] = answer.with_figures(event), one.own
            return
    elif one.report.is_event and not is_begun and not answer.in_background:
        answer.is_finished = True
        settled.events.setdefault(one.own, event)
        settled.reported_as.setdefault(one.own, one.own)
        return
    elif not is_begun and not answer.is_finished:
        answer.keep(event)
    if not has_token_counts(event):
        return
    if key in settled.events:
        settled.events[key] = with_later_token_counts(settled.events[key], event)
    elif key in stored and stored[key].is_uncounted:
        settled.figures.setdefault(key, event)


def _lock(keys: list[str], *, now: datetime) -> dict[str, _Answer]:
    with connection.cursor() as cursor:
        cursor.execute(sql.LOCK_ANSWERS, {"keys": keys, "now": now})
        return {row[0]: _Answer(*row) for row in cursor.fetchall()}


def _save(answers: Sequence[_Answer]) -> None:
    columns = {name: [getattr(answer, name) for answer in answers] for name in _Answer.__struct_fields__}
    with connection.cursor() as cursor:
        cursor.execute(sql.SAVE_ANSWERS, columns)
