"""The hot check with a million names, beside an empty answer of the same server and an ordinary Django view."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from django.db import connection

from governance.audit.actor import Actor
from governance.bench.figure import Figure
from governance.bench.scale import FULL, Scale
from governance.bench.serving import HOST, check_server, free_port, wait_until_it_answers, web_server
from governance.gateways.models import GatewayInstance
from governance.restrictions.queries import last_number
from governance.staff.service_keys import issue_service_key

ACCOUNTS: Final = 250_000
NAMES_EACH: Final = 4
WORKERS: Final = 2
EMPTY: Final = "governance.bench.enforcement.empty:application"
THREADS: Final = 1
SECONDS: Final = 10
CONNECTIONS: Final = 32
HALF: Final = 10_000  # requests a second, of the 20,000 that the check is to reach
ANSWERED_IN: Final = 0.6  # milliseconds, usually, at that rate
ASKED: Final = 20_000

# A quarter of a million accounts with three keys each, all of them blocked.
MAKE: Final = (
    """
    INSERT INTO accounts_account (external_id, status, plan, declared_use, country, email_domain, payment_fingerprint,
                                  first_seen_at)
    SELECT 'acct_' || lpad(n::text, 7, '0'), 'open', '', '', '', '', '', %(now)s
    FROM generate_series(1, %(accounts)s) n
    """,
    """
    INSERT INTO restrictions_restriction (number, account_id, kind, reason, terms_clause, withheld, starts_at, author,
                                         approver, origin, unique_key, ending, ended_by, ending_note,
                                         superseded_by, withdrawal, withdrawn_by, replaced_numbers)
    SELECT (SELECT coalesce(max(number), 0) FROM restrictions_change) + row_number() OVER (ORDER BY id),
           id, 'block', 'bulk_harvest', '', '{}', %(now)s, 'bench', '',
           'bench:' || id, 'bench:' || id, '', '', '', '', '', '', '{}'
    FROM accounts_account WHERE external_id LIKE 'acct%%'
    """,
    """
    INSERT INTO restrictions_change (number, restriction_id, what, at, payload)
    SELECT number, number, 'began', %(now)s, jsonb_build_object(
        'number', number, 'kind', kind, 'reason', reason, 'from', to_jsonb(%(now)s::timestamptz), 'until', NULL,
        'requests_per_minute', NULL, 'tokens_per_minute', NULL, 'withheld', '[]'::jsonb, 'names', jsonb_build_object(
            'organisation', '[]'::jsonb, 'digest', '[]'::jsonb, 'account', jsonb_build_array(account.external_id),
            'key', jsonb_build_array('key_' || number || 'a', 'key_' || number || 'b', 'key_' || number || 'c')))
    FROM restrictions_restriction restriction JOIN accounts_account account ON account.id = restriction.account_id
    WHERE account.external_id LIKE 'acct%%'
    """,
)


def block_a_million_names(now: datetime, accounts: int = ACCOUNTS) -> None:
    with connection.cursor() as cursor:
        for statement in MAKE:
            cursor.execute(statement, {"now": now, "accounts": accounts})
        cursor.execute("VACUUM (ANALYZE)")


def measure_checks(now: datetime, scale: Scale = FULL) -> Iterator[Figure]:
    """Needs `wrk`, and nginx for the last line."""
    if shutil.which("wrk") is None:
        return
    accounts, seconds = scale.count(ACCOUNTS), max(1, round(scale.seconds(SECONDS)))
    block_a_million_names(now, accounts)
    secret = issue_service_key(name="bench", scopes=["access:read"], by=Actor.system("bench"), now=now)[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with _constant(folder) as port:
            constant = _load(_script(folder, "/", secret, accounts), port, seconds) if port else None
        with check_server(WORKERS, EMPTY) as (port, _):
            empty = _load(_script(folder, "/access/check", secret, accounts), port, seconds)
        with check_server(WORKERS) as (port, _):
            _wait_until_loaded()
            hot = _load(_script(folder, "/access/check", secret, accounts), port, seconds)
            half = _load(_script(folder, "/access/check", secret, accounts, rate=HALF), port, seconds)
        with web_server(WORKERS, threads=THREADS) as (port, _):
            django = _load(_script(folder, "/api/v1/access/check", secret, accounts), port, seconds)
    yield Figure(
        f"hot check, {NAMES_EACH * accounts:,} names",
        hot.rate,
        "requests/s",
        hot.rate / empty.rate,
        "an empty answer of the same server",
    )
    yield Figure("hot check, as fast as it goes: p99", hot.p99, "ms")
    yield Figure(f"hot check, at {half.rate:,.0f}/s: median", half.median, "ms")
    yield Figure(f"hot check, at {half.rate:,.0f}/s: p99", half.p99, "ms")
    yield Figure("hot check, answers that were no answer", hot.failed + half.failed, "requests")
    yield Figure("an empty answer of the same server", empty.rate, "requests/s")
    yield Figure(
        "the same as an ordinary Django view", django.rate, "requests/s", django.rate / hot.rate, "the hot check"
    )
    yield Figure("the same as an ordinary Django view: p99", django.p99, "ms")
    if constant is not None:
        yield Figure(
            "nginx returning a constant", constant.rate, "requests/s", constant.rate / hot.rate, "the hot check"
        )
        yield Figure("nginx returning a constant: p99", constant.p99, "ms")


def _wait_until_loaded() -> None:
    until = time.monotonic() + 120
    while GatewayInstance.objects.filter(gateway=None, sequence=last_number()).count() < WORKERS:
        if time.monotonic() > until:
            raise TimeoutError("The web server has not read the restrictions.")
        time.sleep(0.5)


class _Loaded(NamedTuple):
    """Requests a second, and milliseconds."""

    rate: float
    median: float
    p99: float
    failed: int


def _load(script: Path, port: int, seconds: int) -> _Loaded:
    for lasts in (min(2, seconds), seconds):  # the first warms up
        command: list[str | Path] = [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{lasts}",
            "-s",
            script,
            f"http://{HOST}:{port}",
        ]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures = said.rpartition("FIGURES ")[2].split()
    rate, median, p99, failed = (float(figure) for figure in figures[:4])
    return _Loaded(rate, median, p99, int(failed))


def _script(folder: Path, path: str, secret: str, accounts: int, rate: float = 0) -> Path:
    """For wrk: a mixed lot of blocked and good accounts, asked in turn; with a rate each connection thinks a while."""
    thinks = 1000 * CONNECTIONS / rate - ANSWERED_IN if rate else 0
    file = folder / f"{path.strip('/').replace('/', '-') or 'constant'}-{rate:.0f}.lua"
    file.write_text(f"""
local asked, n = {{}}, 0
function init(args)
  for i = 1, {ASKED} do
    local name = string.format("acct_%07d", (i * 7919) % {2 * accounts} + 1)
    asked[i] = wrk.format("GET", "{path}?account=" .. name, {{["Authorization"] = "Bearer {secret}"}})
  end
end
function request() n = n % {ASKED} + 1; return asked[n] end
{f"function delay() return math.random(0, {round(2 * thinks)}) end" if rate else ""}
function done(summary, latency, requests)
  local failed = summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format("FIGURES %f %f %f %d\\n", summary.requests / summary.duration * 1e6,
                         latency:percentile(50) / 1000, latency:percentile(99) / 1000, failed))
end
""")
    return file


@contextmanager
def _constant(folder: Path) -> Iterator[int]:
    """Of nginx with two workers, as the check has them: the port, or 0 where it is not installed."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if program is None:
        yield 0
        return
    port = free_port()
    temporary = " ".join(f"{name}_temp_path {folder};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = folder / "nginx.conf"
    config.write_text(
        f"worker_processes 2; pid {folder}/pid; error_log stderr crit; events {{}} http {{ access_log off; {temporary} "
        f'keepalive_requests 10000000; server {{ listen {HOST}:{port}; return 200 "allow"; }} }}'
    )
    process = subprocess.Popen([program, "-p", f"{folder}/", "-c", config, "-g", "daemon off;"])
    try:
        wait_until_it_answers(port)
        yield port
    finally:
        process.terminate()
        process.wait()
