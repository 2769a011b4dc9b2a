"""Measure what sealing a day of usage costs, and how long a bundle about a large campaign takes."""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import psutil
from django.db import connection
from django.test import override_settings

from accounts.models import Account, TermsAcceptance, TermsVersion
from governance.audit.actor import Actor
from governance.audit.publishing import publish
from governance.bench.figure import Figure
from governance.bench.scale import FULL, Scale
from governance.campaigns.models import Campaign, CampaignMember
from governance.detection.models import Assessment
from governance.evidence.bundle import write_bundle
from governance.evidence.redaction import Redaction
from governance.evidence.scope import Scope
from governance.evidence.sealing import seal_day
from governance.restrictions.actions import restrict_campaign
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.reasons import Reason
from governance.restrictions.terms import Terms
from governance.review.models import Case
from governance.usage.partitions import create_partitions

EVENTS: Final = 1_000_000
ACCOUNTS: Final = 24_000
BENCH: Final = Actor.system("bench")
ROWS: Final = 5_000
# So many events of so many accounts on one day, without going through intake.
_USE: Final = """
    INSERT INTO usage_usageevent (
        key, day, occurred_at, source, event_id, account_id, api_key, model, operation, status, input_tokens,
        output_tokens, cached_input_tokens, reasoning_tokens, ip, end_user, n, logprobs, top_logprobs, seeded, stream,
        tools, sketch, temperature
    )
    SELECT gen_random_uuid(), %(day)s, %(start)s + number * interval '1 ms', 'native', 'req_' || number,
           (%(accounts)s::bigint[])[1 + number %% %(many)s], 'key_' || number %% %(many)s, 'flagship-2', 'chat', 'ok',
           number %% 900, number %% 1400, 0, 0, '192.0.2.7', 'user_' || number %% 7, 1, false, 0, false, true, 0,
           number * 7919::bigint, 1
    FROM generate_series(1, %(events)s) AS number
"""


def measure_evidence(now: datetime, scale: Scale = FULL) -> Iterator[Figure]:
    events, many = scale.count(EVENTS, least=1_000), scale.count(ACCOUNTS, least=20)
    accounts = make_accounts(many, now)
    day = use_model(accounts, events, now)
    began = perf_counter()
    seal_day(day, now=now)
    took = perf_counter() - began
    yield Figure(f"sealing {events:,} events of {many:,} accounts", took, "s")
    yield Figure("sealing", events / took, "events/s")
    case = make_campaign(accounts, now)
    with tempfile.TemporaryDirectory() as folder, override_settings(AUDIT_FOLDER=Path(folder) / "audit"):
        yield from _measure_bundle(case, Path(folder), many, now)


def use_model(accounts: Sequence[Account], events: int, now: datetime) -> date:
    """Store so many events of these accounts on a day that is over, and return the day."""
    day = (now - timedelta(days=2)).date()
    create_partitions([day])
    start = datetime.combine(day, time(), UTC)
    given: dict[str, Any] = {"day": day, "start": start, "events": events}
    given |= {"accounts": [one.pk for one in accounts], "many": len(accounts)}
    with connection.cursor() as cursor:
        cursor.execute(_USE, given)
        cursor.execute("ANALYZE usage_usageevent")
    return day


def _measure_bundle(case: Case, folder: Path, many: int, now: datetime) -> Iterator[Figure]:
    publish(now=now)
    process = psutil.Process()
    before, began = process.memory_info().rss, perf_counter()
    scope = Scope(case, now=now)
    made = write_bundle(scope, folder / "bundle.zip", redaction=Redaction())
    took = perf_counter() - began
    entries = scope.entries.count()
    yield Figure(f"a bundle of {many:,} accounts with {entries:,} entries", took, "s")
    yield Figure("its zip", made.size / 2**20, "MiB")
    yield Figure("memory that it took", (process.memory_info().rss - before) / 2**20, "MiB")


def make_accounts(many: int, now: datetime) -> list[Account]:
    accounts = Account.objects.bulk_create(
        (
            Account(external_id=f"acct_{number:06}", first_seen_at=now, email_domain=f"mail{number % 50}.example")
            for number in range(many)
        ),
        batch_size=ROWS,
    )
    terms = TermsVersion.objects.create(name="bench", published_at=now)
    accepted = (TermsAcceptance(account=one, terms=terms, accepted_at=now) for one in accounts)
    TermsAcceptance.objects.bulk_create(accepted, batch_size=ROWS)
    return accounts


def make_campaign(accounts: list[Account], now: datetime) -> Case:
    """The case of a campaign of these accounts, each of which was assessed, and is blocked."""
    campaign = Campaign.objects.create(state="open", first_seen_at=now, opened_at=now, size=len(accounts))
    belongs: dict[str, Any] = {
        "campaign": campaign,
        "joined_at": now,
        "tied_to": 9,
        "strength": 1.0,
        "ties": {"card": 0.8},
    }
    CampaignMember.objects.bulk_create((CampaignMember(account=one, **belongs) for one in accounts), batch_size=ROWS)
    seen: dict[str, Any] = {
        "assessed_at": now,
        "confirmed_at": now,
        "window_start": now - timedelta(days=28),
        "window_end": now,
    }
    seen |= {"events": 2_000, "score": 91, "band": "critical", "findings": [], "model_version": "2026.3"}
    seen |= {"licensed": False, "response": "case", "policy_version": "1"}
    assessed = Assessment.objects.bulk_create((Assessment(account=one, **seen) for one in accounts), batch_size=ROWS)
    terms = Terms(RestrictionKind.BLOCK, Reason.COORDINATED_ACCOUNTS, terms_clause="2.3")
    restrict_campaign(campaign, terms, unique_key="bench", by=BENCH, now=now)
    return Case.objects.create(
        campaign=campaign, assessment=assessed[0], score=91, band="critical", opened_at=now, due_at=now
    )
