"""A service key or a session counts until it ends, also for a request whose body was on its way when it ended."""

import json
import socket
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from governance.gateways.models import GatewayInstance
from governance.restrictions.models import Restriction
from governance.review.models import Case, Decision
from governance.staff.actions import shut_out_user
from governance.staff.models import ServiceKey
from governance.staff.service_keys import issue_service_key, revoke_service_key
from governance.usage.models import UsageEvent
from tests.factories import MACHINE, account, case, person, usage_event
from tests.front import served
from tests.review.pages import address, block_form, signed_in
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


class Sender:
    """A request of which all but the last byte has been sent."""

    def __init__(self, port: int, path: str, body: bytes, headers: dict[str, str]) -> None:
        self._rest = body[-1:]
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n{''.join(lines)}\r\n"
        self._socket.sendall(head.encode() + body[:-1])

    def finish(self) -> int:
        """The status of the answer to the whole request."""
        with self._socket:
            self._socket.sendall(self._rest)
            return int(self._socket.recv(4096).split()[1])


def key(*scopes: str) -> tuple[ServiceKey, str]:
    return issue_service_key(name="robot", scopes=scopes, by=MACHINE, now=timezone.now())


def revoke(one: ServiceKey) -> None:
    revoke_service_key(one, by=MACHINE, now=timezone.now())


def expire(one: ServiceKey) -> None:
    ServiceKey.objects.filter(pk=one.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def has_been_seen(one: ServiceKey) -> None:
    """Wait until the web server has looked at the key."""
    wait_until(lambda: ServiceKey.objects.get(pk=one.pk).last_used_at is not None, "the key has been looked at")


BLOCK = {"account": "acct_innocent", "kind": "block", "reason": "other"}


class TestAtTheWebServer:
    @pytest.fixture
    def web(self, web_server: int) -> int:
        account("acct_innocent")
        return web_server

    @pytest.mark.parametrize("end", [revoke, expire])
    @pytest.mark.parametrize(
        ("path", "content", "kind"),
        [
            ("/api/v1/restrictions", BLOCK, "application/json"),
            ("/api/v1/restrictions", {"restrictions": [BLOCK]}, "application/json"),
            ("/api/v1/restrictions?dry_run=true", BLOCK, "application/json"),
            ("/api/v1/usage-events", None, "application/x-ndjson"),
        ],
        ids=["one", "many", "dry run", "usage"],
    )
    def test_what_a_key_sent_before_it_ended_has_no_effect(
        self, web: int, path: str, content: Any, kind: str, end: Any
    ) -> None:
        one, secret = key("restrictions:write", "usage:write")
        body = json.dumps(content or usage_event(occurred_at=timezone.now().isoformat())).encode()
        sender = Sender(web, path, body, {"Authorization": f"Bearer {secret}", "Content-Type": kind})
        has_been_seen(one)
        end(one)

        assert sender.finish() == 401
        assert not Restriction.objects.exists()
        assert not UsageEvent.objects.exists()

    def test_what_somebody_sent_before_their_session_ended_has_no_effect(self, web: int) -> None:
        mira, cases = person(), [case(account(f"acct_{number}")) for number in range(3)]
        browser = signed_in(mira)
        forms = [form_on_its_way(web, browser, one) for one in cases]
        statuses = [forms[0].finish()]
        Session.objects.all().delete()
        statuses.append(forms[1].finish())
        forms.append(form_on_its_way(web, signed_in(mira), cases[2]))
        shut_out_user(mira, by=MACHINE, now=timezone.now())
        statuses += [form.finish() for form in forms[2:]]

        assert statuses == [302] * 4
        assert [one.case for one in Decision.objects.all()] == cases[:1]


def form_on_its_way(port: int, browser: Client, one: Case) -> Sender:
    token = "a" * 32
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    body = urlencode(block_form(decision=str(uuid4())) | {"csrfmiddlewaretoken": token})
    headers = {
        "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={token}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return Sender(port, address(one, "decide/"), body.encode(), headers)


class TestAtTheCheck:
    def test_no_question_is_answered_and_no_report_counted(self) -> None:
        one, secret = key("access:read")
        report = json.dumps({"after": 0, "wait": 0, "instance": "leaked"}).encode()
        shown = {"Authorization": f"Bearer {secret}", "X-Api-Key": secret}
        with served() as front:
            paths = {
                "/access/check": b'{"account": "acct_a"}',
                "/beta/litellm_basic_guardrail_api": b'{"texts": []}',
                "/api/v1/access/changes": report,
            }
            senders = {path: Sender(front.port, path, body, shown) for path, body in paths.items()}
            on_their_way = sum(map(len, paths.values()))
            counted = front.front.quotas.small_bodies.taken
            wait_until(lambda: counted.total() == on_their_way, "the bodies are being received")
            revoke(one)
            wait_until(lambda: front.ask("/access/check?account=a", key=secret).status == 401, "the key is refused")
            answers = {path: sender.finish() for path, sender in senders.items()}
            front.front.telemetry.flush()

        assert answers == dict.fromkeys(paths, 401)
        assert not GatewayInstance.objects.filter(instance="leaked").exists()
