"""A lock that is held for long makes others wait a bounded time; then they are asked to try again."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from governance.audit.actions import audit_log_lock
from governance.audit.models import Entry
from governance.restrictions.models import Restriction
from tests.factories import PASSWORD, account, line, person, service_key
from tests.flows.web_server import running_web_server
from tests.flows.worker import environment
from tests.waiting import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

SHOW = """
import django; django.setup()
from django.db import connection
with connection.cursor() as cursor:
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        cursor.execute("SHOW " + name)
        print(cursor.fetchone()[0])
"""


def timeouts_of(beginning: str, **environ: str) -> list[str]:
    """As a process has them that begins with these lines."""
    command = [sys.executable, "-c", beginning + SHOW]
    ran = subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment() | environ, check=True, capture_output=True, text=True
    )
    return ran.stdout.split()


class TestAProcess:
    def test_of_the_web_gives_up_soon(self) -> None:
        assert timeouts_of("import governance.wsgi\n") == ["1min", "5s", "30s"]

    def test_that_works_takes_longer(self) -> None:
        assert timeouts_of("import governance.celery\n") == ["10min", "1min", "10min"]

    def test_that_somebody_started_takes_as_long_as_it_takes(self) -> None:
        assert timeouts_of("") == ["0", "0", "0"]

    def test_keeps_what_is_set_for_it(self) -> None:
        told = timeouts_of("import governance.celery\n", DATABASE_TIMEOUTS_WORKER="lock_timeout=7s")

        assert told == ["10min", "7s", "10min"]

    def test_that_sends_tasks_is_no_worker(self) -> None:
        assert timeouts_of("import django; django.setup(); import governance.celery\n") == ["0", "0", "0"]


class CheckResponse:
    def __init__(self, port: int, method: str, path: str, body: str | bytes = b"", **headers: str) -> None:
        caller = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            caller.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = caller.getresponse()
            self.status, self.headers, self.body = answer.status, answer.headers, answer.read()
        finally:
            caller.close()


@pytest.fixture
def port() -> Iterator[int]:
    with running_web_server(DATABASE_TIMEOUTS_WEB="lock_timeout=200ms", DJANGO_SETTINGS_MODULE="tests.settings") as one:
        yield one


@contextmanager
def somebody_holds_the_log() -> Iterator[None]:
    with transaction.atomic():
        audit_log_lock()
        yield


def restrict(port: int, key: dict[str, Any], name: str) -> CheckResponse:
    body = json.dumps({"kind": "block", "reason": "bulk_harvest", "account": name, "unique_key": name})
    headers = {"Authorization": key["HTTP_AUTHORIZATION"], "Content-Type": "application/json"}
    return CheckResponse(port, "POST", "/api/v1/restrictions", body, **headers)


def sign_in(port: int, email: str) -> CheckResponse:
    cookies = SimpleCookie(CheckResponse(port, "GET", "/sign-in/").headers["Set-Cookie"])
    token = cookies["csrftoken"].value
    form = urlencode({"username": email, "password": PASSWORD, "csrfmiddlewaretoken": token})
    headers = {"Cookie": f"csrftoken={token}", "Content-Type": "application/x-www-form-urlencoded"}
    return CheckResponse(port, "POST", "/sign-in/", form, **headers)


def test_others_are_told_to_come_again_where_somebody_holds_the_log_for_long(port: int) -> None:
    account("acct_harbour")
    _, key = service_key("restrictions:write", "usage:write")
    mira = person()
    restrict(port, key, "acct_nobody")  # notes that the key is used, which is an entry too

    with somebody_holds_the_log():
        refused, signed_in, health = (
            restrict(port, key, "acct_harbour"),
            sign_in(port, mira.email),
            CheckResponse(port, "GET", "/health/"),
        )
        event = line(occurred_at=timezone.now().isoformat())
        sent = CheckResponse(
            port,
            "POST",
            "/api/v1/usage-events",
            event,
            **{"Authorization": key["HTTP_AUTHORIZATION"], "Content-Type": "application/x-ndjson"},
        )

    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert json.loads(refused.body)["title"] == "Busy"
    assert (signed_in.status, signed_in.headers["Retry-After"]) == (503, "5")
    assert b"Another change is using the same records" in signed_in.body
    assert (health.status, sent.status) == (200, 202)
    assert not Restriction.objects.exists()

    assert restrict(port, key, "acct_harbour").status == 201
    assert sign_in(port, mira.email).status == 302
    assert Entry.objects.filter(verb="sign_in.succeeded").count() == 1
