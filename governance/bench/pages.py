"""How long the server takes for pages, with a million accounts and a hundred thousand cases."""

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from http import HTTPStatus
from statistics import median
from typing import Any, Final
from urllib.parse import urlencode

import psutil
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import override_settings

from accounts.models import Account
from governance.audit.actor import Actor
from governance.bench.figure import Figure
from governance.bench.scale import FULL, Scale
from governance.investigation.account_list import ORDERS, AccountSort
from governance.overview.actions import measure_overview
from governance.review.models import Case
from governance.staff.actions import add_user
from governance.staff.roles import Role
from governance.usage.actions import compact_profiles, record_lines
from governance.web.cursors import Cursor

ACCOUNTS: Final = 1_000_000
EACH_ORGANISATION: Final = 50
EACH_CASE: Final = 10
EACH_CARD: Final = 20
TIMES: Final = 20
# Hours of one account that is busy all day for four weeks; the others have two hours each.
BUSY: Final = "acct_0000100"
HOURS: Final = 672

# Scores are like those of customers: of a thousand five are critical, ten high, twenty elevated.
FILL: Final = (
    """
    INSERT INTO accounts_organisation (external_id, name)
    SELECT 'org_' || n, 'Company ' || n || ' ' || (ARRAY['Payroll', 'Media', 'Travel', 'Press', 'Vets'])[1 + n %% 5]
    FROM generate_series(1, %(organisations)s) n
    """,
    """
    INSERT INTO accounts_account (external_id, organisation_id, status, plan, declared_use, country, email_domain,
                                  payment_fingerprint, signup_ip, created_at, first_seen_at)
    SELECT 'acct_' || lpad(n::text, 7, '0'), (SELECT min(id) FROM accounts_organisation) + n / %(each_organisation)s,
           'open', (ARRAY['payg', 'team', 'scale', 'enterprise'])[1 + n %% 4], '',
           (ARRAY['DE', 'SE', 'US', 'KE', 'KR', 'BR'])[1 + n %% 6],
           CASE WHEN n %% 3 = 0 THEN 'mail.example' ELSE 'company' || n / 40 || '.example' END,
           'card_' || n / %(each_card)s, '10.0.0.0'::inet + n, %(now)s::timestamptz - n * interval '1 second',
           %(now)s::timestamptz - n * interval '1 second'
    FROM generate_series(0, %(accounts)s - 1) n
    """,
    """
    INSERT INTO accounts_apikey (external_id, account_id, digest, first_seen_at)
    SELECT 'key_' || id, id, sha256(id::text::bytea), %(now)s FROM accounts_account
    """,
    """
    INSERT INTO detection_assessment (account_id, assessed_at, confirmed_at, window_start, window_end, events, score,
        band, probability, probability_low, probability_high, texts, findings, harmless, model_version, licensed,
        response, policy_version)
    SELECT id, at, at, at - interval '28 days', at, 10, score,
           CASE WHEN score >= 80 THEN 'critical' WHEN score >= 65 THEN 'high' WHEN score >= 50 THEN 'elevated'
                ELSE 'low' END,
           0.1, 0, 0.3, 10, %(findings)s::jsonb, '{}', '1', false, 'nothing', '1'
    FROM (
        SELECT id, at, (CASE WHEN id %% 200 = 0 THEN 80 + id %% 19 WHEN id %% 100 = 1 THEN 65 + id %% 14
                             WHEN id %% 50 = 2 THEN 50 + id %% 14 ELSE id %% 50 END)::int AS score
        FROM accounts_account,
             unnest(ARRAY[%(now)s::timestamptz - interval '3 days', %(now)s::timestamptz - interval '2 hours']) AS at
    ) AS scored
    """,
    """
    INSERT INTO review_case (id, account_id, status, assessment_id, score, band, opened_at, due_at, closed_at,
                             output_tokens)
    SELECT gen_random_uuid(), account_id, CASE WHEN account_id %% 20 = 0 THEN 'open' ELSE 'decided' END, assessment_id,
           score, band, %(now)s, %(now)s, CASE WHEN account_id %% 20 = 0 THEN NULL ELSE %(now)s::timestamptz END,
           account_id %% 100000 * 1000
    FROM detection_accountscore WHERE account_id %% %(each_case)s = 0
    """,
    """
    INSERT INTO review_step (case_id, kind, at, by, text) SELECT id, 'opened', %(now)s, 'pipeline', '' FROM review_case
    """,
    """
    INSERT INTO campaigns_accounttrait (account_id, kind, digest, uses, share)
    SELECT id, kind, CASE kind WHEN 1 THEN id / 7 ELSE id / 3 END, 10, 0.5
    FROM accounts_account, unnest(ARRAY[1, 2]) kind
    """,
    """
    INSERT INTO usage_hourlyprofile (account_id, model, hour, first_at, last_at, requests, failures, input_tokens,
        output_tokens, cached_input_tokens, reasoning_tokens, input_squares, output_squares, gaps, gap_seconds,
        gap_squares, slots)
    SELECT id, 'flagship-2', hour, hour, hour, 5, 0, 900, 4000, 0, 0, 1, 1, 0, 0, 0, 1
    FROM accounts_account, generate_series(
        date_trunc('hour', %(now)s::timestamptz) - CASE WHEN external_id = %(busy)s THEN %(hours)s ELSE 2 END
            * interval '1 hour',
        date_trunc('hour', %(now)s::timestamptz) - interval '1 hour', interval '1 hour'
    ) AS hour
    """,
)
FINDINGS: Final = (
    '[{"detector": "fixed_wrapper", "title": "Fixed wrapper", "family": "content", "version": 1, "strength": 0.9,'
    ' "points": 20, "sentence": "94 % wrap a new payload in the same words.", "evidence": {"share": 0.94},'
    ' "harmless": "An evaluation harness does so."}]'
)

PAGES: Final = {
    "overview": "/",
    "overview, the cases behind a figure": "/overview/cases/?band=high",
    "settings": "/settings/",
    "queue": "/queue/",
    "queue, due soonest": "/queue/?sort=due",
    "queue, three filters": "/queue/?band=high&plan=team&country=DE",
    "queue, harm so far": "/queue/?tokens_from=99000000",
    "queue, decided": "/queue/?view=decided",
    "case": "/cases/{case}/",
    "bulk decision, preview of 100": "/bulk/?accounts={hundred}",
    "accounts, by score": "/accounts/",
    "accounts, deep in the list": "/accounts/?{middle}",
    "accounts, newest": "/accounts/?sort=newest",
    "accounts, critical by id": "/accounts/?band=critical&sort=id",
    "accounts, three filters": "/accounts/?band=high&plan=team&country=DE",
    "account": f"/accounts/{BUSY}/",
    "account, how it asks": f"/accounts/{BUSY}/asking/",
    "organisation": "/organisations/org_3/",
    "search, the start of every id": "/search/?q=acct",
    "search, a name": "/search/?q=payroll",
    "search, a domain of many": "/search/?q=mail.example",
    "search, a card": "/search/?q=CARD_77",
    "search, an address": "/search/?q=10.0.1.7",
    "search, a network": "/search/?q=10.0.4.0/22",
    "search, a key's digest": f"/search/?q={'ab' * 32}",
    "search, nothing": "/search/?q=nobody-is-called-so",
}


def measure_pages(now: datetime, scale: Scale = FULL) -> Iterator[Figure]:
    """Yield for each page how long some requests took, in this process and without a network.

    And their processor time, here and in PostgreSQL where that runs here, to which other work adds nothing.
    """
    fill(now, scale)
    began = time.perf_counter()
    measure_overview(now=now)
    yield Figure("measuring for the overview, every five minutes", 1000 * (time.perf_counter() - began), "ms")
    client = Client()
    client.force_login(
        add_user(
            email="bench@example.com",
            name="Bench",
            role=Role.LEAD,
            password="not used anywhere",  # noqa: S106 - of nobody
            by=Actor.system("bench"),
            now=now,
        )
    )
    with override_settings(ALLOWED_HOSTS=["*"], SECURE_SSL_REDIRECT=False, STORAGES=_plain_static_files()):
        places = _places(scale)
        for name, pattern in PAGES.items():
            address = pattern.format_map(places)
            _milliseconds(client, address)  # templates are read once
            used, times = _processor_seconds(), scale.count(TIMES, least=2)
            took = [_milliseconds(client, address) for _ in range(times)]
            yield Figure(f"page: {name}, median", median(took), "ms")
            yield Figure(f"page: {name}, slowest", max(took), "ms")
            yield Figure(f"page: {name}, processor", 1000 * (_processor_seconds() - used) / times, "ms")


def _places(scale: Scale) -> dict[str, str]:
    opened = Case.objects.filter(status=Case.Status.OPEN).order_by("-score", "pk")[:100]
    middle = Account.objects.select_related("score").get(external_id=f"acct_{scale.count(ACCOUNTS) // 2:07d}")
    return {
        "middle": urlencode({"after": Cursor.at(middle, ORDERS[AccountSort.SCORE])}),
        "case": str(opened[0].pk),
        "hundred": ",".join(str(case.account_id) for case in opened),
    }


def fill(now: datetime, scale: Scale) -> None:
    accounts = scale.count(ACCOUNTS)
    arguments: dict[str, Any] = {
        "now": now,
        "accounts": accounts,
        "organisations": accounts // EACH_ORGANISATION + 1,
        "each_organisation": EACH_ORGANISATION,
        "each_card": EACH_CARD,
        "each_case": EACH_CASE,
        "findings": FINDINGS,
        "busy": BUSY,
        "hours": HOURS,
    }
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement, arguments)
        cursor.execute("VACUUM (ANALYZE)")
    lines = [_event(number, now - timedelta(minutes=number)) for number in range(scale.count(2_000, least=20))]
    record_lines(lines, source="native", now=now)
    compact_profiles([Account.objects.get(external_id=BUSY).pk])


def _event(number: int, at: datetime) -> bytes:
    prompt = f"Translate sentence {number} about tide {number * 7} and harbour {number * 13}."
    event = {
        "id": f"e{number}",
        "occurred_at": at.isoformat(),
        "account": BUSY,
        "model": "flagship-2",
        "input_tokens": 900,
        "output_tokens": 4000,
        "messages": [{"role": "user", "content": prompt}],
    }
    return json.dumps(event).encode()


def _processor_seconds() -> float:
    """What this process and its session of PostgreSQL have used so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [(backend,)] = cursor.fetchall()
    processes = [psutil.Process()]
    if settings.EMBEDDED:
        processes.append(psutil.Process(backend))
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))


def _milliseconds(client: Client, address: str) -> float:
    began = time.perf_counter()
    answer = client.get(address)
    took = 1000 * (time.perf_counter() - began)
    if answer.status_code != HTTPStatus.OK:
        raise RuntimeError(f"{address} answered {answer.status_code}.")
    return took


def _plain_static_files() -> dict[str, object]:
    """Addresses of static files without their digests: none are collected here."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    return {**settings.STORAGES, "staticfiles": plain}
