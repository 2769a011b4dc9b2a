"""Every URL × method × hostile value: the answer is never an error of the server, and a machine gets no page.

The walk is made from numbers: request N is the same every time, and starts from the same rows, so that one that
failed can be asked for alone. In the environment HOSTILE_REQUESTS is how many there are in the long walk (20,000;
1,000,000 takes three hours) and HOSTILE_FIRST the number of the first one (0):

    HOSTILE_REQUESTS=1 HOSTILE_FIRST=4711 make test-long ARGS='tests/rules/test_every_url.py -s'
"""

import json
import logging
import os
import time
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from http.cookies import SimpleCookie
from random import Random
from typing import Any, Final, NamedTuple

import pytest
from django.db import connection, transaction
from django.test import Client

from governance.staff.models import ServiceKey
from governance.staff.roles import Role
from tests.everything import one_of_everything
from tests.factories import case, person, service_key
from tests.measuring import Measured
from tests.rules.arguments import ARGUMENTS, patterns
from tests.rules.given import Arguments
from tests.rules.test_hostile_values import DOCUMENTS, FOR_MACHINES, TEXTS, VALUES, quoted

pytestmark = pytest.mark.django_db

METHODS: Final = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "BREW")
HEADERS: Final = (
    *("HTTP_IDEMPOTENCY_KEY", "HTTP_AUTHORIZATION", "HTTP_HX_REQUEST", "HTTP_HX_TARGET", "HTTP_HX_CURRENT_URL"),
    *("HTTP_HX_BOOSTED", "HTTP_ACCEPT", "HTTP_CONTENT_ENCODING", "HTTP_REFERER", "HTTP_IF_NONE_MATCH", "HTTP_COOKIE"),
    *("HTTP_X_FORWARDED_FOR", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE", "HTTP_ORIGIN", "HTTP_TRANSFER_ENCODING"),
)
LOOKUPS: Final = ("", "__regex", "__gt", "__in", "__isnull", "__range", "__year", "__exact", "__date", "__pk", "__x__y")
FORM, JSON, NDJSON = "application/x-www-form-urlencoded", "application/json", "application/x-ndjson"
KINDS: Final = (
    *(FORM, JSON, NDJSON, "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", ""),
    *(f"{FORM}; charset=utf-16", f"{JSON}; charset=utf-7", "multipart/form-data; boundary=x; charset=utf-16"),
)
SHOWN: Final = 20


class Request(NamedTuple):
    """One request of the walk; `path`, `query` and `body` are as they are sent."""

    method: str
    path: str
    query: str
    kind: str
    body: bytes
    headers: dict[str, str]


class Walker:
    """Makes requests, sends each on top of the same rows, and counts what was answered."""

    def __init__(self) -> None:
        one_of_everything()
        case()
        self.client = Client(raise_request_exception=False)
        self.sessions = {role: self._session(role) for role in Role} | {None: SimpleCookie()}
        self.known = service_key(*ServiceKey.Scope.values)[1]
        self.paths = {
            pattern: {name: str(find()) for name, find in taken.path.items()} for pattern, taken in ARGUMENTS.items()
        }
        self.failed: list[str] = []
        self.statuses: Counter[int] = Counter()

    def _session(self, role: Role) -> SimpleCookie:
        self.client.force_login(person(role=role))
        cookies, self.client.cookies = self.client.cookies, SimpleCookie()
        return cookies

    def send(self, request: Request, *, name: object, chance: Random) -> None:
        machine = request.path.startswith(FOR_MACHINES)
        known = self.known if machine and chance.random() < 0.9 else {}
        role = None if machine else chance.choice([Role.ADMIN, Role.ADMIN, *Role, None])
        self.client.cookies = SimpleCookie(self.sessions[role].output(header="", sep=";"))
        with transaction.atomic():
            answer = self.client.generic(
                request.method,
                request.path,
                request.body,
                content_type=request.kind,
                QUERY_STRING=request.query,
                **known | request.headers,
            )
            transaction.set_rollback(True)
        self.statuses[answer.status_code] += 1
        if complaint := _complaint(answer, machine=machine):
            self.failed.append(f"{name}: {complaint} for {request}"[:600])

    def walk(self, numbers: range) -> None:
        for number in numbers:
            chance = Random(number)
            pattern = chance.choice(sorted(ARGUMENTS))
            self.send(self.request(pattern, chance.choice(METHODS), chance), name=number, chance=chance)

    def request(self, pattern: str, method: str, chance: Random) -> Request:
        taken = ARGUMENTS[pattern]
        return Request(
            method,
            self._path(pattern, chance),
            _query(taken, chance),
            *_body(pattern, taken, chance),
            _headers(chance),
        )

    def _path(self, pattern: str, chance: Random) -> str:
        path = pattern.removesuffix("$").replace("(?P<url>.*)", "<str:url>")
        for name, value in self.paths[pattern].items():
            given = value if chance.random() < 0.7 else quoted(chance.choice(TEXTS))
            for converter in ("uuid", "int", "path", "slug", "str", "external"):
                path = path.replace(f"<{converter}:{name}>", given)
        return path


def _complaint(answer: Any, *, machine: bool) -> str:
    if answer.status_code >= 500:
        return f"status {answer.status_code}"
    if machine and answer.headers.get("Cache-Control") != "no-store":
        return "it may be stored by caches"
    if machine and answer.status_code >= 400 and answer.headers["Content-Type"].startswith("text/"):
        return "a page"
    return ""


def _query(taken: Arguments, chance: Random) -> str:
    names = taken.query or ("next", "x")
    chosen = [chance.choice(names) + (chance.choice(LOOKUPS) if chance.random() < 0.4 else "") for _ in range(2)]
    return "&".join(f"{name}={quoted(chance.choice(TEXTS))}" for name in chosen[: chance.randrange(3)])


def _body(pattern: str, taken: Arguments, chance: Random) -> tuple[str, bytes]:
    if chance.random() < 0.2:
        return chance.choice(KINDS), chance.choice(DOCUMENTS)
    sent = json.loads(json.dumps(dict(taken.sent)))
    for _ in range(chance.choice((0, 1, 1, 2))):
        _spoil(sent, chance, machine=pattern.startswith(FOR_MACHINES))
    if pattern.startswith(FOR_MACHINES):
        return JSON, json.dumps(sent).encode()
    return FORM, "&".join(f"{quoted(name)}={quoted(str(value))}" for name, value in sent.items()).encode()


def _spoil(sent: Any, chance: Random, *, machine: bool) -> None:
    """Put a hostile value into one place of what is sent, however deep, or leave that place out."""
    while sent:
        place = chance.choice(sorted(sent)) if isinstance(sent, dict) else chance.randrange(len(sent))
        if isinstance(sent[place], dict | list) and sent[place] and chance.random() < 0.8:
            sent = sent[place]
            continue
        if isinstance(sent, dict) and chance.random() < 0.1:
            del sent[place]
        else:
            # A copy: the next value may go into this one.
            sent[place] = deepcopy(chance.choice(VALUES if machine else TEXTS))
        return


def _headers(chance: Random) -> dict[str, str]:
    chosen = chance.sample(HEADERS, chance.choice((0, 0, 1, 2)))
    headers = {
        name: chance.choice(TEXTS).encode("utf-8", "surrogatepass").decode("latin-1").replace("\n", "")
        for name in chosen
    }
    return headers | ({"HTTP_HX_REQUEST": "true"} if chance.random() < 0.2 else {})


@pytest.fixture
def walker(settings: Any) -> Iterator[Walker]:
    settings.INTAKE_MAX_LAG = 0  # or all intake would be refused, since the rows are old
    logging.disable()  # a line for each refusal is most of the time
    yield Walker()
    logging.disable(logging.NOTSET)


def test_every_url_has_a_row_in_the_table_of_arguments() -> None:
    assert sorted({pattern for pattern, _ in patterns()} ^ set(ARGUMENTS)) == []


def test_every_url_answers_to_something_hostile(walker: Walker) -> None:
    chance = Random(2026)
    for pattern in sorted(ARGUMENTS):
        if pattern.startswith("/admin/") and pattern.endswith(("add/", "delete/", "history/", "object_id>/")):
            continue  # as many pages as all others together, and all alike: the long walk asks for them
        for method in ("GET",) if pattern.startswith("/admin/") else ("GET", "POST", *chance.sample(METHODS[2:], 2)):
            walker.send(walker.request(pattern, method, chance), name=pattern, chance=chance)

    assert walker.failed[:SHOWN] == []


@pytest.mark.long
def test_a_long_walk_finds_no_error_of_the_server(walker: Walker, measured: Measured) -> None:
    first, requests = (
        int(os.environ.get(f"HOSTILE_{name}", usual)) for name, usual in (("FIRST", 0), ("REQUESTS", 20_000))
    )
    began = time.monotonic()

    walker.walk(range(first, first + requests))

    took = time.monotonic() - began
    counted = ", ".join(f"{status}: {count:,}" for status, count in sorted(walker.statuses.items()))
    measured(f"{requests:,} requests to {len(ARGUMENTS)} URLs in {took:.0f} s: {counted}")
    assert walker.failed[:SHOWN] == []
    assert connection.is_usable()
