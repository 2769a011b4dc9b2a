"""Every URL × method × role: reached by whom the tables of access and of roles name, and by nobody else."""

import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client

from governance.staff.models import ServiceKey
from governance.staff.roles import Role, can_open_admin, may
from governance.web.authentication import ANY_SCOPE
from tests.everything import one_of_everything
from tests.factories import case, person, service_key
from tests.rules.access import ACCESS
from tests.rules.arguments import ARGUMENTS, patterns
from tests.rules.test_hostile_values import FOR_MACHINES

pytestmark = pytest.mark.django_db

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
EVERYBODY = (*Role, None)
REFUSED, NO_SUCH_METHOD, REACHED = "refused", "no such method", "reached"


class Visitors:
    """One of each role, and a stranger; each request is taken back."""

    def __init__(self) -> None:
        one_of_everything()
        case()
        self.client = Client(raise_request_exception=False)
        self.cookies = {role: self._sign_in(role) for role in Role} | {None: SimpleCookie()}
        self.addresses = {pattern: _address(pattern) for pattern in ARGUMENTS}

    def _sign_in(self, role: Role) -> SimpleCookie:
        self.client.force_login(person(role=role))
        cookies, self.client.cookies = self.client.cookies, SimpleCookie()
        return cookies

    def ask(self, role: Role | None, method: str, pattern: str, **headers: str) -> str:
        """What becomes of a request that is usually accepted."""
        self.client.cookies = SimpleCookie(self.cookies[role].output(header="", sep=";"))
        sent = dict(ARGUMENTS[pattern].sent) if method == "POST" else {}
        with transaction.atomic():
            answer: Any = getattr(self.client, method.lower())(self.addresses[pattern], sent, **headers)
            transaction.set_rollback(True)
        assert answer.status_code < 500, (role, method, pattern)
        if answer.status_code == 405:
            return NO_SUCH_METHOD
        leads_to = answer.headers.get("Location") or answer.headers.get("X-Sign-In") or ""
        is_sent_to_sign_in = leads_to.startswith(("/sign-in/?", "/admin/login/?"))
        return REFUSED if answer.status_code in {401, 403} or is_sent_to_sign_in else REACHED


def _address(pattern: str) -> str:
    """With what stands in the gaps of the pattern."""
    for name, find in ARGUMENTS[pattern].path.items():
        pattern = re.sub(f"<[a-z]+:{name}>", str(find()), pattern)
    return pattern


def is_page(pattern: str) -> bool:
    return not pattern.startswith((*FOR_MACHINES, "/taxii2/", "/admin/"))


def should(role: Role | None, method: str, pattern: str) -> set[str]:
    """What may become of a request."""
    allowed = ACCESS[pattern].get("GET" if method == "HEAD" else method, "no such method")
    if allowed == "no such method":
        return {NO_SUCH_METHOD, REFUSED}
    if allowed is None:
        return {REACHED}
    is_reached = role is not None and all(may(role, permission) for permission in allowed)
    return {REACHED} if is_reached else {REFUSED}


@pytest.fixture
def visitors() -> Visitors:
    return Visitors()


def test_every_url_of_a_page_has_a_row() -> None:
    assert sorted({pattern for pattern, _ in patterns() if is_page(pattern)} ^ set(ACCESS)) == []


@pytest.mark.long
def test_each_role_reaches_what_the_tables_say(visitors: Visitors) -> None:
    wrong = [
        (pattern, method, role, became)
        for pattern in ACCESS
        for method in METHODS
        for role in EVERYBODY
        if (became := visitors.ask(role, method, pattern)) not in should(role, method, pattern)
    ]

    assert not wrong, "\n".join(map(str, wrong))


def test_a_part_of_a_page_is_refused_as_the_page_is(visitors: Visitors) -> None:
    wrong = [
        (pattern, role)
        for pattern, access in ACCESS.items()
        if "GET" in access
        for role in EVERYBODY
        if visitors.ask(role, "GET", pattern, HTTP_HX_REQUEST="true") not in should(role, "GET", pattern)
    ]

    assert not wrong, "\n".join(map(str, wrong))


def _pages_of_the_admin() -> Iterator[tuple[str, str]]:
    """Each page of a table, with the permission that it takes to see it."""
    for model in admin.site._registry:
        label, name = model._meta.app_label, model._meta.model_name
        home = f"/admin/{label}/{name}/"
        yield home, f"{label}.view_{name}"
        for page, right in (("add", "add"), ("change", "view"), ("delete", "delete"), ("history", "view")):
            gap = "" if page == "add" else "<path:object_id>/"
            yield f"{home}{gap}{page}/", f"{label}.{right}_{name}"


@pytest.mark.long
def test_the_admin_shows_nothing_beyond_the_role(visitors: Visitors) -> None:
    wrong = [
        (pattern, method, role)
        for pattern, permission in _pages_of_the_admin()
        for role in EVERYBODY
        if not (role is not None and can_open_admin(role) and may(role, permission))
        for method in ("GET", "POST")
        if visitors.ask(role, method, pattern) == REACHED
    ]

    assert not wrong, "\n".join(map(str, wrong))


def test_an_auditor_changes_nothing_in_the_admin(visitors: Visitors) -> None:
    forms = [
        f"{home}{page}"
        for home in _homes()
        for page in ("add/", "<path:object_id>/change/", "<path:object_id>/delete/")
    ]

    assert [pattern for pattern in forms if visitors.ask(Role.AUDITOR, "POST", pattern) == REACHED] == []


def _homes() -> Iterator[str]:
    yield from (f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry)


@pytest.mark.parametrize("scope", ServiceKey.Scope)
def test_a_service_key_reaches_what_its_scope_names(scope: ServiceKey.Scope, client: Client) -> None:
    one_of_everything()
    _, known = service_key(scope)
    wrong = []
    for pattern, entry in patterns():
        scopes = getattr(getattr(entry.callback, "cls", None), "scopes", {})
        address, sent = _address(pattern), ARGUMENTS[pattern].sent
        for method, needed in scopes.items():
            body = sent if method == "POST" else None
            with transaction.atomic():
                answer = getattr(client, method.lower())(address, body, content_type="application/json", **known)
                transaction.set_rollback(True)
            if (answer.status_code == 403) is (needed in {scope, ANY_SCOPE}):
                wrong.append((pattern, method, answer.status_code))

    assert not wrong, "\n".join(map(str, wrong))
