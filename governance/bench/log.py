"""Measure what the audit log costs a decision: decisions a second with it, and how many there would be without."""

import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from accounts.models import Account
from governance.audit.actions import NewEntry, record_all
from governance.audit.actor import Actor
from governance.audit.models import Entry
from governance.audit.verbs import Verb
from governance.bench.figure import Figure
from governance.bench.scale import FULL, Scale
from governance.detection.models import Assessment
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.reasons import Reason
from governance.review.actions import decide
from governance.review.models import Case
from governance.review.verdicts import Verdict
from governance.staff.actions import add_user
from governance.staff.models import User
from governance.staff.roles import Role

DECISIONS: Final = 2_000
BENCH: Final = Actor.system("bench")
VERDICT: Final = Verdict(RestrictionKind.BLOCK, Reason.BULK_HARVEST, terms_clause="2.3", note="bench")


def measure_log(now: datetime, scale: Scale = FULL) -> Iterator[Figure]:
    """Decide many cases; then record the same entries again, and subtract what that takes.

    In processor seconds of this process, to which other work adds nothing.
    """
    cases, by, first = _open_cases(scale.count(DECISIONS, least=5), now), _reviewer(now), _newest()
    began = time.process_time()
    for case in cases:
        decide(case, VERDICT, decision_id=uuid.uuid4(), by=by, now=now)
    deciding = time.process_time() - began
    entries = list(Entry.objects.filter(number__gt=first).order_by("number"))
    recording = _record_again(entries, now)
    with_log, without = len(cases) / deciding, len(cases) / (deciding - recording)
    yield Figure("decisions without the audit log", without, "a processor second")
    yield Figure("decisions with it", with_log, "a processor second", with_log / without, "without")
    yield Figure(f"an entry, {len(entries) / len(cases):.1f} a decision", 1e6 * recording / len(entries), "µs")


def _open_cases(many: int, now: datetime) -> list[Case]:
    accounts = Account.objects.bulk_create(
        Account(external_id=f"decided-{number}", first_seen_at=now) for number in range(many)
    )
    seen = Assessment.objects.bulk_create(
        Assessment(
            account=account,
            assessed_at=now,
            confirmed_at=now,
            window_start=now - timedelta(days=28),
            window_end=now,
            events=2_000,
            score=82,
            band="critical",
            findings=[],
            model_version="1",
            licensed=False,
            response="case",
            policy_version="1",
        )
        for account in accounts
    )
    return Case.objects.bulk_create(
        Case(account=one.account, assessment=one, score=one.score, band=one.band, opened_at=now, due_at=now)
        for one in seen
    )


def _reviewer(now: datetime) -> User:
    password = uuid.uuid4().hex
    return add_user(email="log@example.com", name="Bench", role=Role.LEAD, password=password, by=BENCH, now=now)


def _newest() -> int:
    return Entry.objects.order_by("-number").values_list("number", flat=True).first() or 0


def _record_again(entries: Sequence[Entry], now: datetime) -> float:
    """Record each by itself, as decisions do, in one transaction: a decision has its own in either case."""
    began = time.process_time()
    with transaction.atomic():
        for entry in entries:
            new = NewEntry(Verb(entry.verb), (entry.subject_kind, entry.subject_id), entry.details)
            record_all([new], by=BENCH, now=now)
    return time.process_time() - began
