"""The description of the API: whole, valid, and true."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from governance.gateways.check.app import PROTOCOLS
from governance.gateways.check.feed_endpoints import CHANGES_AT, SNAPSHOT_AT
from governance.gateways.check.protocols import all_protocols
from governance.openapi.document import openapi_document, operations
from governance.restrictions.models import Change
from governance.staff.models import ServiceKey
from governance.webhooks.models import Delivery
from governance.webhooks.sending import message_body
from tests.factories import account, restriction, service_key
from tests.rules.arguments import patterns
from tests.rules.test_hostile_values import FOR_MACHINES

DOCUMENT = openapi_document()
OPERATIONS = list(operations(DOCUMENT))
NAMES = [operation["operationId"] for _, _, operation in OPERATIONS]
WEBHOOKS = [(name, "post", item["post"]) for name, item in DOCUMENT["webhooks"].items()]
DESCRIBED = [operation for _, _, operation in (*OPERATIONS, *WEBHOOKS)]


def errors(schema: dict[str, Any], value: Any) -> list[str]:
    whole = {**schema, "components": DOCUMENT["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def examples(part: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """Each example of a body or an answer, with the schema that it should have."""
    for kind, media in part.get("content", {}).items():
        for example in media.get("examples", {}).values():
            if "json" in kind.replace("ndjson", ""):
                yield media["schema"], example["value"]


def scopes_of(entry: Any) -> dict[str, str]:
    scopes: dict[str, str] = entry.callback.cls.scopes
    return scopes


def as_written(pattern: str) -> str:
    """A pattern of the URL map as a path of OpenAPI."""
    for converter in ("uuid", "int", "str", "external"):
        pattern = pattern.replace(f"<{converter}:", "{")
    return pattern.replace(">", "}")


class TestTheDocument:
    def test_is_openapi_3_1(self) -> None:
        assert DOCUMENT["openapi"] == "3.1.0"
        assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []

    def test_is_made_without_guesses(self, capsys: pytest.CaptureFixture[str]) -> None:
        GENERATOR_STATS.reset()

        SchemaGenerator().get_schema(request=None, public=True)

        assert not GENERATOR_STATS, capsys.readouterr().err

    def test_has_every_endpoint_with_its_methods(self) -> None:
        endpoints = {
            as_written(pattern): {method.lower() for method in scopes_of(entry)}
            for pattern, entry in patterns()
            if pattern.startswith(FOR_MACHINES)
        }

        assert {path: methods_of(path) for path in endpoints} == endpoints

    def test_has_every_address_for_partners(self) -> None:
        addresses = {as_written(pattern) for pattern, _ in patterns() if pattern.startswith("/taxii2/")}

        assert {path for path in DOCUMENT["paths"] if path.startswith("/taxii2/")} == addresses - {
            "/taxii2/<path:_rest}"  # any other address, where there is nothing
        }

    def test_has_what_is_answered_in_front_of_django(self) -> None:
        for protocol in all_protocols():
            assert any(path.startswith(protocol.path) for path in DOCUMENT["paths"])
        assert {SNAPSHOT_AT, CHANGES_AT} <= DOCUMENT["paths"].keys()

    def test_has_nothing_that_does_not_exist(self) -> None:
        real = {as_written(pattern) for pattern, _ in patterns()} | {SNAPSHOT_AT, CHANGES_AT}

        assert {path for path in DOCUMENT["paths"] if path not in real and PROTOCOLS.find(path) is None} == set()

    def test_knows_no_other_scopes_than_there_are(self) -> None:
        scopes = {
            scope
            for operation in DESCRIBED
            for one in operation.get("security", [])
            for wanted in one.values()
            for scope in wanted
        }

        assert scopes <= set(ServiceKey.Scope.values)
        assert len(set(NAMES)) == len(NAMES)


def methods_of(path: str) -> set[str]:
    return {method for found, method, _ in OPERATIONS if found == path}


@pytest.mark.parametrize("operation", DESCRIBED, ids=lambda operation: operation["operationId"])
class TestAnOperation:
    def test_is_described(self, operation: dict[str, Any]) -> None:
        assert operation["summary"]
        assert operation["description"]
        assert operation["tags"]

    def test_has_examples_that_fit(self, operation: dict[str, Any]) -> None:
        parts = [operation.get("requestBody", {}), *operation["responses"].values()]
        shown = [(schema, value) for part in parts for schema, value in examples(part)]

        assert [errors(schema, value) for schema, value in shown if errors(schema, value)] == []
        if "requestBody" in operation:
            assert list(examples(operation["requestBody"]))

    def test_explains_each_parameter_that_is_not_a_field(self, operation: dict[str, Any]) -> None:
        assert all(one["schema"] for one in operation.get("parameters", []))


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=NAMES)
def test_every_operation_names_its_errors_as_problems(path: str, method: str, operation: dict[str, Any]) -> None:
    if path.startswith(("/taxii2/", "/v1/traces")):
        return  # in the form of their standards
    problem = {"$ref": "#/components/responses/Problem"}

    assert operation["responses"]["default"] == problem
    assert operation["security"]


@pytest.mark.django_db
class TestAnAnswer:
    @pytest.mark.parametrize(
        ("address", "path"),
        [
            ("/api/v1/restrictions", "/api/v1/restrictions"),
            ("/api/v1/restrictions/{number}", "/api/v1/restrictions/{number}"),
            ("/api/v1/access/check?account=acct_harbour", "/api/v1/access/check"),
        ],
    )
    def test_is_what_the_document_says(self, client: Client, address: str, path: str) -> None:
        blocked = restriction(account("acct_harbour"))
        _, known = service_key("restrictions:read", "access:read")

        answer = client.get(address.format(number=blocked.number), **known)

        schema = DOCUMENT["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert answer.status_code == 200
        assert errors(schema, answer.json()) == []

    def test_that_is_an_error_is_what_the_document_says(self, client: Client) -> None:
        answer = client.get("/api/v1/restrictions")

        assert errors(DOCUMENT["components"]["schemas"]["Problem"], answer.json()) == []

    def test_of_a_webhook_is_what_the_document_says(self) -> None:
        restriction(account("acct_harbour"))
        change = Change.objects.select_related("restriction").latest("number")

        for delivery in (Delivery(change=change), Delivery(change=None, created_at=timezone.now())):
            message = json.loads(message_body(delivery))
            assert message["type"] in DOCUMENT["webhooks"]
            assert errors(DOCUMENT["components"]["schemas"]["WebhookMessage"], message) == []
