"""Whatever is sent to whatever address, the answer is never an error of the server."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from governance.review.models import Case
from governance.staff.models import ServiceKey
from governance.staff.roles import Role
from tests.factories import account, api_key, case, person, restriction, service_key
from tests.front import Served, served
from tests.rules.test_access import ADDRESSES, EXAMPLES, METHODS

pytestmark = [pytest.mark.django_db, pytest.mark.long]

FOR_MACHINES = ("/api/", "/v1/")
HUGE = str(2**63)
LONG = "9" * 5_000  # more digits than Python makes a number of
FEW = ("\0", "\ud800", LONG)
TEXTS = (*FEW, "a\0b", "", "[", "-1", HUGE, "1e999", "http://[", "9999-12-31T23:59:59-14:00", EXAMPLES["uuid"])
VALUES: tuple[object, ...] = (None, [], {}, 7, -1, 1e308, True, [[[]]], {"a": {}}, ["x"], 2**70, *TEXTS)
QUERY = ("view", "band", "q", "after", "next", "account", "campaign", "live", "before", "note", "dry_run", "api_key")
ADMIN_QUERY = ("p", "o", "q", "e", "all", "_facets", "_to_field", "plan", "digest__gte", "account__external_id", "kind")
FORM = (
    *("decision", "action", "favour", "against", "days", "requests_per_minute", "tokens_per_minute", "withheld"),
    *("scope", "terms_clause", "note", "confirmed", "text", "everywhere", "content", "why", "url", "delivery"),
    *("since", "to", "username", "password", "next"),
)
MEMBERS = (
    *("account", "api_key", "organisation", "campaign", "kind", "reason", "terms_clause", "starts_at", "expires_at"),
    *(
        "requests_per_minute",
        "tokens_per_minute",
        "withheld",
        "unique_key",
        "dry_run",
        "restrictions",
        "note",
        "\ud800",
    ),
)
DEEP = 1_000
DOCUMENTS = (
    *(b"", b"{", b"[1]", b'"x"', b"7", b"null", b"true", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b'{"account": NaN}'),
    *(b'{"account": 1e999}', b'{"account": "\\ud800"}', b'{"\\u0000": "\\u0000"}', b'{"account": %s}' % LONG.encode()),
    *(b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP, b"[" * 100_000),
    b'{"account": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    b'{"restrictions": [[], {}, null, 7, "x", {"account": []}]}',
    b'{"events": [[], {}, null, 7, "x", {"id": []}]}',
    b'{"resourceSpans": [null, {"scopeSpans": [{"spans": [{"attributes": {}}]}]}]}',
    b'{"after": %s, "instance": "\\u0000", "wait": 1e300}' % HUGE.encode(),
)
NESTED_POLICY = "a = " + "[" * DEEP + "]" * DEEP


class Walk:
    """Asks, and keeps what was answered with an error of the server."""

    def __init__(self) -> None:
        self.page, self.api = (Client(raise_request_exception=False) for _ in range(2))
        self.page.force_login(person(role=Role.ADMIN))
        _, self.known = service_key(*ServiceKey.Scope.values)
        self.failed: list[tuple[str, str, str]] = []

    def ask(self, method: str, address: str, what: object = "", **sent: Any) -> None:
        machine = address.startswith(FOR_MACHINES)
        client, known = (self.api, self.known) if machine else (self.page, {})
        status = client.generic(method, address, **known | sent).status_code
        if status >= 500:
            self.failed.append((method, address[:80], repr(what)[:80]))


@pytest.fixture
def walk() -> Walk:
    return Walk()


@pytest.fixture
def opened() -> Case:
    harbour = account("acct_harbour", organisation="org_quay")
    api_key(harbour)
    restriction(harbour)
    return case(harbour)


def quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"))


def addresses(case: Case) -> Iterator[str]:
    """Every address, with the case that there is; without the one that ends the session."""
    for address in ADDRESSES:
        if "sign-out" not in address and "logout" not in address:
            yield address.replace(f"cases/{EXAMPLES['uuid']}", f"cases/{case.pk}")


def pages(case: Case) -> Iterator[str]:
    return (address for address in addresses(case) if not address.startswith(("/admin/", *FOR_MACHINES)))


def test_in_a_query(walk: Walk, opened: Case) -> None:
    for address in addresses(opened):
        if not address.startswith("/admin/"):
            for text in FEW:
                query = "&".join(f"{name}={quoted(text)}" for name in QUERY)
                walk.ask("GET", address, text, QUERY_STRING=query)
    for address in ("/queue/", "/cases/next/", "/api/v1/restrictions", "/api/v1/access/check"):
        for name in QUERY:
            for text in TEXTS:
                walk.ask("GET", address, (name, text), QUERY_STRING=f"{name}={quoted(text)}")

    assert walk.failed == []


def test_in_a_query_of_the_admin(walk: Walk, opened: Case) -> None:
    for address in ("accounts/account", "staff/user", "staff/servicekey", "restrictions/restriction"):
        for name in (*ADMIN_QUERY, "password__regex"):
            for text in ("\0", "a"):
                walk.ask("GET", f"/admin/{address}/", (name, text), QUERY_STRING=f"{name}={quoted(text)}")

    assert walk.failed == []


def test_in_a_path(walk: Walk, opened: Case) -> None:
    for number in (HUGE, "9" * 400):
        for address in (f"/api/v1/restrictions/{number}", f"/policy/{number}/live/"):
            for method in METHODS:
                walk.ask(method.upper(), address)
        walk.ask("POST", f"/cases/{opened.pk}/restrictions/{number}/lift/")
        walk.ask("GET", f"/admin/restrictions/restriction/{number}/change/")
    for path in ("%00", "cases/%00/", "%ED%A0%80", "%ff", "static/%00", "api/v1/%00", "admin/%00", "admin/r/7/1/"):
        walk.ask("GET", f"/{path}")

    assert walk.failed == []


def test_in_a_form(walk: Walk, opened: Case) -> None:
    form, several = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
    part = b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\n\x00\xff\r\n--x--'
    for address in pages(opened):
        for text in FEW:
            body = "&".join(f"{name}={quoted(text)}" for name in FORM)
            walk.ask("POST", address, text, data=body, content_type=form)
        walk.ask("POST", address, "parts", data=part, content_type=several)
    for name in FORM:
        for text in FEW:
            body = f"action=block&{name}={quoted(text)}"
            walk.ask("POST", f"/cases/{opened.pk}/decide/", (name, text), data=body, content_type=form)
    walk.ask("POST", "/policy/propose/", "nested", data=f"content={quote(NESTED_POLICY)}", content_type=form)

    assert walk.failed == []


def test_in_a_body(walk: Walk, opened: Case) -> None:
    for address in (one for one in addresses(opened) if one.startswith(FOR_MACHINES)):
        for document in DOCUMENTS:
            for method in METHODS:
                walk.ask(method.upper(), address, document, data=document, content_type="application/json")
        for kind in ("application/x-ndjson", "application/json; charset=rot13", "text/plain", ""):
            for document in DOCUMENTS[:3] + DOCUMENTS[-4:]:
                walk.ask("POST", address, (kind, document), data=document, content_type=kind)

    assert walk.failed == []


def test_in_a_member_of_a_restriction(walk: Walk, opened: Case) -> None:
    usual = {"account": "acct_harbour", "kind": "block", "reason": "other"}
    for name in MEMBERS:
        several = [usual | {name: value} for value in VALUES]
        for one in several:
            walk.ask("POST", "/api/v1/restrictions", one, data=json.dumps(one), content_type="application/json")
        body, key = json.dumps({"restrictions": several}), {"HTTP_IDEMPOTENCY_KEY": str(MEMBERS.index(name))}
        walk.ask("POST", "/api/v1/restrictions", name, data=body, content_type="application/json", **key)
    for value in VALUES:
        note = {"note": value}
        walk.ask("DELETE", "/api/v1/restrictions/1", note, data=json.dumps(note), content_type="application/json")

    assert walk.failed == []


def test_in_a_header(walk: Walk, opened: Case) -> None:
    names = (
        *("HTTP_IDEMPOTENCY_KEY", "HTTP_AUTHORIZATION", "HTTP_HX_CURRENT_URL", "HTTP_HX_TARGET", "HTTP_ACCEPT"),
        *("HTTP_CONTENT_ENCODING", "HTTP_REFERER", "HTTP_COOKIE", "HTTP_IF_NONE_MATCH"),
    )
    cookies = tuple(f'{name}="{"a" * 32}\\000"' for name in ("sessionid", "csrftoken", "messages"))
    for name in names:
        for text in (*FEW, "[", "http://[", "Bearer \0", *cookies):
            value = text.encode("utf-8", "surrogatepass").decode("latin-1")
            for method, address in (
                ("GET", "/queue/"),
                ("POST", f"/cases/{opened.pk}/note/"),
                ("POST", "/api/v1/restrictions"),
                ("POST", "/api/v1/usage-events"),
            ):
                walk.ask(method, address, (name, text), data=b"{}", **{"HTTP_HX_REQUEST": "true", name: value})

    assert walk.failed == []


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    with served() as one:
        yield one


def test_at_what_is_answered_in_front_of_django(front: Served) -> None:
    failed, keys = [], dict.fromkeys(("X-Api-Key", "X-Stillwatch-Key"), front.secret)
    keys["Authorization"] = f"Bearer {front.secret}"
    for address in ("/access/check", "/beta/litellm_basic_guardrail_api", "/api/v1/access/changes"):
        for document in DOCUMENTS:
            caller = HTTPConnection("127.0.0.1", front.port, timeout=30)
            caller.request("POST", address, document, keys)
            if (status := caller.getresponse().status) >= 500:
                failed.append((address, document[:60], status))
            caller.close()

    assert failed == []
