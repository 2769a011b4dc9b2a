"""Forms of strangers take no place from those who show a service key, and one key no place from others."""

from contextlib import ExitStack, closing
from threading import Thread

import pytest
from django.db import connection, transaction

from governance.audit.actions import audit_log_lock
from governance.platform.open_files import allow_many_open_files
from tests.factories import account
from tests.flows.test_slow_bodies import EMPTY, EVENTS, asked, begun, issued_key, whole_answer
from tests.flows.web_server import running_check, running_web_server
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

BLOCK = b'{"account": "acct_mole", "kind": "block", "reason": "bulk_harvest"}'


def form_from(network: int, *, length: int) -> bytes:
    lines = ["POST /sign-in/ HTTP/1.1", "Host: 127.0.0.1", f"X-Forwarded-For: 2001:db8:0:{network:x}::1"]
    return "\r\n".join([*lines, "Connection: close", f"Content-Length: {length}", "", "a"]).encode()


def test_forms_from_many_networks() -> None:
    allow_many_open_files()
    secret = issued_key("honest")
    server = running_web_server(BEHIND_PROXY="true", STILLWATCH_URL="http://127.0.0.1", BODY_SECONDS=str(PATIENCE))
    with server as web, ExitStack() as stack:
        for number in range(2048):
            stack.enter_context(closing(begun(web, form_from(number // 128, length=9))))

        def form_is_refused() -> bool:
            with closing(begun(web, form_from(999, length=1))) as caller:
                return whole_answer(caller).split()[1] == b"503"

        wait_until(form_is_refused, "there is no place for forms")
        assert asked(web, "POST", EVENTS, secret, EMPTY) == 202


def test_a_body_has_its_place_until_it_is_answered() -> None:
    greedy, other = (issued_key(name, "restrictions:write") for name in ("greedy", "other"))
    account("acct_mole")
    first: list[int] = []
    with running_web_server(BODIES_OF_A_KEY="1", DATABASE_TIMEOUTS_WEB=f"lock_timeout={PATIENCE:.0f}s") as web:

        def restrict() -> None:
            first.append(asked(web, "POST", "/api/v1/restrictions", greedy, BLOCK))

        for secret in (greedy, other):  # the first use of a key is an entry of the log
            asked(web, "POST", "/api/v1/restrictions", secret, b"{}")
        asking = Thread(target=restrict)
        with transaction.atomic():
            audit_log_lock()
            asking.start()
            wait_until(_somebody_waits, "the first request is being answered")
            second = asked(web, "POST", "/api/v1/restrictions", greedy, BLOCK)
            others = asked(web, "POST", "/api/v1/restrictions", other, b"{}")
        asking.join()
        afterwards = asked(web, "POST", "/api/v1/restrictions", greedy, b"{}")

    assert (first, second) == ([201], 429)
    assert others not in {429, 503}
    assert afterwards not in {429, 503}


def test_streams_of_one_gateway_leave_half_of_the_threads_to_others() -> None:
    lines = ["GET /api/v1/access/changes?after=0 HTTP/1.1", "Host: 127.0.0.1", "Accept: text/event-stream"]
    stream = "\r\n".join([*lines, f"Authorization: Bearer {issued_key('edge', 'access:read')}", "", ""]).encode()
    with (
        running_check() as check,
        running_web_server(threads=4, CHECK_URL=f"http://127.0.0.1:{check}") as web,
        ExitStack() as stack,
    ):
        callers = [stack.enter_context(closing(begun(web, stream))) for _ in range(4)]
        statuses = sorted(caller.recv(4096).split()[1] for caller in callers)
        page = asked(web, "GET", "/health/")

    assert statuses == [b"200", b"200", b"503", b"503"]
    assert page == 200


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(cursor.fetchone()[0])
