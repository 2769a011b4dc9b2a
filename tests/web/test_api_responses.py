"""Whatever goes wrong below /api/ and /v1/, the answer is for a machine."""

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.test import Client, override_settings

from governance.restrictions.api import RestrictionsView
from governance.staff.models import ServiceKey
from tests.factories import account, service_key
from tests.rules.test_access import ADDRESSES

pytestmark = pytest.mark.django_db

ENDPOINTS = [address for address in ADDRESSES if address.startswith(("/api/", "/v1/"))]
QUERIED = ("/api/v1/access/check", "/api/v1/restrictions", "/api/v1/restrictions/1")


@pytest.fixture
def known() -> dict[str, Any]:
    return service_key(*ServiceKey.Scope.values)[1]


class TestAnError:
    @pytest.mark.parametrize("path", ["/api", "/api/", "/api/v2/restrictions", "/api/v1/restrictions/x", "/v1/metrics"])
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS", "BREW"])
    def test_at_an_unknown_address_is_a_problem(self, client: Client, path: str, method: str) -> None:
        answer = client.generic(method, path)

        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
        assert answer.json()["status"] == 404

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "BREW"])
    def test_of_a_method_is_a_problem(self, client: Client, known: dict[str, Any], method: str) -> None:
        answer = client.generic(method, "/api/v1/restrictions", **known)

        assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")
        assert "GET" in answer["Allow"]

    def test_of_the_host_is_a_problem(self, client: Client) -> None:
        answer = client.get("/api/v1/restrictions", HTTP_HOST="somewhere.else")

        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")

    def test_of_a_body_that_is_too_large_is_a_problem(self, client: Client, known: dict[str, Any]) -> None:
        with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10):
            answer = client.post(
                "/api/v1/restrictions", {"account": "a" * 99}, content_type="application/json", **known
            )

        assert 400 <= answer.status_code < 500
        assert answer["Content-Type"] == "application/problem+json"

    def test_of_ours_is_a_problem_that_tells_nothing_of_the_inside(
        self, known: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("a secret of the inside")

        monkeypatch.setattr(RestrictionsView, "get", broken)

        answer = Client(raise_request_exception=False).get("/api/v1/restrictions", **known)

        assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
        assert "secret" not in answer.content.decode()

    @pytest.mark.parametrize(("refusal", "status"), [(Http404, 404), (PermissionDenied, 403)])
    def test_of_djangos_own_is_a_problem(
        self,
        client: Client,
        known: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
        refusal: type[Exception],
        status: int,
    ) -> None:
        def refuse(*_: object) -> None:
            raise refusal

        monkeypatch.setattr(RestrictionsView, "get", refuse)

        answer = client.get("/api/v1/restrictions", **known)

        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
        assert answer.json()["status"] == status

    @pytest.mark.parametrize("path", QUERIED)
    def test_names_what_a_query_says_twice(self, client: Client, known: dict[str, Any], path: str) -> None:
        method = "DELETE" if path.endswith("/1") else "GET"

        answer = client.generic(method, path, QUERY_STRING="account=a&note=a&account=b&note=b", **known)

        assert answer.status_code == 400
        assert {"account", "note"} <= set(answer.json()["errors"])


class TestEveryAnswer:
    @pytest.mark.parametrize("path", [*ENDPOINTS, "/api/v1/nothing"])
    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
    def test_is_stored_by_no_cache(self, client: Client, known: dict[str, Any], path: str, method: str) -> None:
        for headers in ({}, known):
            assert client.generic(method, path, **headers)["Cache-Control"] == "no-store"


class TestAMethodWithoutABody:
    def test_head_answers_as_get_does(self, client: Client, known: dict[str, Any]) -> None:
        account("acct_harbour")
        for path in ("/api/v1/restrictions", "/api/v1/access/check?account=acct_harbour"):
            get, head = client.get(path, **known), client.head(path, **known)

            assert (head.status_code, head.content) == (200, b"")
            assert head["Content-Type"] == get["Content-Type"]

    @pytest.mark.parametrize("path", ENDPOINTS)
    def test_options_names_the_methods_and_their_scopes(self, client: Client, known: dict[str, Any], path: str) -> None:
        answer = client.options(path, **known)

        assert answer.status_code == 200
        assert set(json.loads(answer.content)["methods"]) < set(answer["Allow"].split(", "))

    @pytest.mark.parametrize("path", ENDPOINTS)
    @pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
    def test_needs_a_service_key(self, client: Client, path: str, method: str) -> None:
        assert client.generic(method, path).status_code in {401, 405}
