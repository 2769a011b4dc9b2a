"""Store a batch of reported usage events and all that follows from them in one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import IntegrityError
from psycopg.errors import CheckViolation

from accounts.actions import get_or_create_accounts, get_or_create_keys
from accounts.queries import RegisteredNames, find_registered
from governance.audit.actions import NewEntry, record_all
from governance.audit.actor import Actor
from governance.platform.notifications import enqueue_on_commit
from governance.platform.transactions import retried_transaction
from governance.usage import event_store
from governance.usage.answer_reports import resolve_answers
from governance.usage.answers import AnswerFingerprint, AnswerText, answer_fingerprints
from governance.usage.event_columns import EventColumns, EventFingerprints, build_columns
from governance.usage.event_store import EventBatch
from governance.usage.excerpts import ExcerptCandidate, keep_excerpts
from governance.usage.fingerprint import fingerprints
from governance.usage.new_name_limit import LimitedReports, NewNamesUsedUpError, count_new_names, limit_new_names
from governance.usage.partitions import ensure_partitions
from governance.usage.wire import Report, UsageEvent, has_token_counts


class Sender(NamedTuple):
    """Who sends usage over HTTP, with which service key. `ties_keys`: whether it may say whose API key is whose."""

    actor: Actor
    service_key: UUID
    ties_keys: bool = False


class StoredReports(NamedTuple):
    """How many of the events that were reported were new, how many bore the id of another, and the reports taken."""

    accepted: int
    conflicts: int
    taken: Sequence[Report]


def store_reports(reports: Sequence[Report], *, source: str, now: datetime, sender: Sender | None) -> StoredReports:
    """Fingerprint the events that are reported, and store what was not here before with all that follows from it.

    What the database refuses changes nothing at all.
    """
    if not reports:
        return StoredReports(0, 0, ())
    batch = event_store.group_reports(reports, source=source)
    candidates = batch.candidates
    seen = dict(zip(candidates, _fingerprints([*candidates.values()]), strict=True))
    ensure_partitions({event.occurred_at.astimezone(UTC).date() for event in candidates.values()})
    has_failed = False
    while True:
        try:
            return _store_batch(reports, batch, seen, source=source, now=now, sender=sender)
        except NewNamesUsedUpError:
            continue  # others have brought in more names of this hour, of which there are so many
        except IntegrityError as error:
            # Another process made a day while events of it were on their way into the default table.
            if has_failed or not isinstance(error.__cause__, CheckViolation):
                raise
            has_failed = True


@retried_transaction
def _store_batch(
    reports: Sequence[Report],
    batch: EventBatch,
    seen: Mapping[str, EventFingerprints],
    *,
    source: str,
    now: datetime,
    sender: Sender | None,
) -> StoredReports:
    """Rows are locked in one order: answers, accounts and keys, events by their keys, dirty accounts by their primary
    keys, the count of new names.
    """
    registered = _find_registered(reports)
    limited = LimitedReports(reports)
    if sender is not None:
        limited = limit_new_names(reports, registered, service_key=sender.service_key, now=now)
    if len(limited.taken) < len(reports):
        if not limited.taken:
            return StoredReports(0, 0, ())
        batch, seen = _reduce_batch(batch, seen, limited.taken, source=source)
    ties = sender is not None and sender.ties_keys
    accepted, conflicts, moved = _store_events(batch, seen, registered, source=source, now=now, ties=ties)
    if sender is not None:
        count_new_names(limited.names, service_key=sender.service_key, now=now)
        if moved:
            record_all(moved, by=sender.actor, now=now)
    return StoredReports(accepted, conflicts, limited.taken)


def _find_registered(reports: Sequence[Report]) -> RegisteredNames:
    events = [report.event for report in reports]
    return find_registered({event.account for event in events}, {event.api_key for event in events if event.api_key})


def _reduce_batch(
    batch: EventBatch, seen: Mapping[str, EventFingerprints], taken: Sequence[Report], *, source: str
) -> tuple[EventBatch, Mapping[str, EventFingerprints]]:
    """The batch with these reports alone, and the fingerprints of its events."""
    reduced, before = event_store.group_reports(taken, source=source), batch.candidates
    other = {key: event for key, event in reduced.candidates.items() if before[key] is not event}
    return reduced, {**seen, **dict(zip(other, _fingerprints([*other.values()]), strict=True))}


class _StoredBatch(NamedTuple):
    """How many events were new, how many bore the id of another, and what the log is to say of keys that moved."""

    accepted: int
    conflicts: int
    moved: list[NewEntry]


def _store_events(
    batch: EventBatch,
    seen: Mapping[str, EventFingerprints],
    registered: RegisteredNames,
    *,
    source: str,
    now: datetime,
    ties: bool,
) -> _StoredBatch:
    settled = resolve_answers(batch.answers, now=now)
    merged = batch.events | settled.events
    keys = sorted(merged)
    events = [merged[key] for key in keys]
    seen_of_keys = [seen[settled.reported_as.get(key, key)] for key in keys]
    named = _organisations_of([*events, *settled.figures.values()])
    accounts = get_or_create_accounts(named, known=registered.accounts, now=now)
    completed = {accounts[event.account] for event in settled.figures.values()}
    claims = {(event.api_key, accounts[event.account]) for event in events if event.api_key}
    moved = get_or_create_keys(claims, ties=ties, known=registered.keys, now=now)
    columns = build_columns(events, seen_of_keys, keys, source=source, account_pks=accounts)
    new, known = event_store.store_events(columns, also=completed, now=now)
    figures = settled.figures | {
        key: merged[key] for key, said in known.items() if said.is_uncounted and has_token_counts(merged[key])
    }
    if figures:
        event_store.add_token_counts(figures)
    if new["key"] or figures:
        event_store.note_late_days(new, figures, now=now)
    if conflicts := batch.conflicts_with(known):
        event_store.record_conflicts(conflicts, source=source, account_pks=accounts, now=now)
    if settings.EXCERPTS_PER_DAY:
        _keep_excerpts(new, dict(zip(keys, events, strict=True)), accounts, now=now)
    if new["key"] or figures:
        enqueue_on_commit("governance.tasks.score_dirty_accounts")
    return _StoredBatch(len(new["key"]), len(conflicts), moved)


def _keep_excerpts(
    new: EventColumns, events: Mapping[str, UsageEvent], accounts: Mapping[str, int], *, now: datetime
) -> None:
    """Keep a sample of those that came with their text."""
    with_text = [key for key, digest in zip(new["key"], new["prompt_digest"], strict=True) if digest is not None]
    keep_excerpts(
        (
            ExcerptCandidate(key, accounts[events[key].account], events[key])
            for key in with_text
            if events[key].fingerprint is None
        ),
        now=now,
    )


def _organisations_of(events: Sequence[UsageEvent]) -> dict[str, str | None]:
    """The organisation of each account as its newest event that names one has it."""
    named = {event.account: event.organisation for event in events if event.organisation}
    return {event.account: named.get(event.account) for event in events}


def _fingerprints(events: Sequence[UsageEvent]) -> list[EventFingerprints]:
    """Of each event the fingerprints that its gateway made, else those of its text."""
    made = iter(
        fingerprints(
            ((event.messages, event.prompt) for event in events if event.fingerprint is None),
            key=settings.FINGERPRINT_KEY,
        )
    )
    answers = _answer_fingerprints([event for event in events if event.output or event.reasoning_digests])
    return [
        EventFingerprints(
            event.fingerprint or next(made),
            next(answers) if event.output or event.reasoning_digests else event.output_fingerprint,
        )
        for event in events
    ]


def _answer_fingerprints(events: Sequence[UsageEvent]) -> Iterator[AnswerFingerprint | None]:
    """Of each event the fingerprint that its gateway made of the answer, else one of its text."""
    texts = [
        AnswerText(
            event.output if event.output_fingerprint is None else None,
            event.messages,
            event.prompt,
            event.reasoning_digests,
        )
        for event in events
    ]
    for event, made in zip(events, answer_fingerprints(texts, key=settings.FINGERPRINT_KEY), strict=True):
        given = event.output_fingerprint
        if given is not None and made is not None:
            yield msgspec.structs.replace(given, reasoning=given.reasoning or made.reasoning)
        else:
            yield given or made
