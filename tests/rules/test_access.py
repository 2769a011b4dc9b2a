"""What machines need, and what every page carries. Who reaches which page is in test_access_matrix.py."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from governance.staff.models import ServiceKey
from governance.staff.roles import Role
from governance.web.authentication import ANY_SCOPE
from tests.factories import person, service_key

pytestmark = pytest.mark.django_db

EXAMPLES = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "int": "1",
    "slug": "x",
    "path": "1",
    "str": "x",
    "external": "x",
}
METHODS = ("get", "post", "put", "patch", "delete")


def routes(patterns: Any = None, prefix: str = "/") -> Iterator[tuple[str, Any]]:
    """Every address of the URL map with an example in each gap, and its view."""
    for entry in patterns if patterns is not None else get_resolver().url_patterns:
        route = str(entry.pattern)
        for converter, example in EXAMPLES.items():
            while f"<{converter}:" in route:
                start = route.index(f"<{converter}:")
                route = route[:start] + example + route[route.index(">", start) + 1 :]
        address = prefix + route.removeprefix("^").removesuffix("$")
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, address)
        elif isinstance(entry, URLPattern) and "(?P" not in address:
            yield address, entry.callback


ADDRESSES = sorted({address for address, _ in routes()})
FOR_MACHINES = [address for address in ADDRESSES if address.startswith(("/api/", "/v1/"))]
ENDPOINTS = sorted({view.cls for _, view in routes() if hasattr(view, "cls")}, key=lambda view: view.__name__)


class TestAMachineWithoutAKey:
    @pytest.mark.parametrize("address", FOR_MACHINES)
    def test_gets_nothing(self, client: Client, address: str) -> None:
        answers = {method: getattr(client, method)(address).status_code for method in METHODS}

        assert set(answers.values()) <= {401, 405}
        assert 401 in answers.values()


class TestAnEndpoint:
    @pytest.mark.parametrize("view", ENDPOINTS, ids=lambda view: view.__name__)
    def test_names_a_scope_for_every_method_it_has(self, view: type[APIView]) -> None:
        methods = {method.upper() for method in METHODS if hasattr(view, method)}

        assert set(getattr(view, "scopes", {})) == methods

    @pytest.mark.parametrize("address", FOR_MACHINES)
    def test_refuses_a_key_without_any_of_its_scopes(self, client: Client, address: str) -> None:
        view = dict(routes())[address].cls
        if ANY_SCOPE in view.scopes.values():
            return  # there is no such key
        others = set(ServiceKey.Scope) - set(view.scopes.values())
        _, known = service_key(*others)

        for method in view.scopes:
            assert client.generic(method, address, **known).status_code == 403

    @pytest.mark.parametrize("address", FOR_MACHINES)
    def test_is_not_opened_by_somebodys_session(self, client: Client, address: str) -> None:
        client.force_login(person(role=Role.ADMIN))

        assert client.get(address).status_code in {401, 405}


class TestEveryPage:
    def test_carries_a_strict_content_security_policy(self, client: Client) -> None:
        policy = client.get("/sign-in/")["Content-Security-Policy"]

        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
