"""The OpenAPI document: what REST framework's views say of themselves, and what is answered beside REST framework."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml
from django.conf import settings
from drf_spectacular.generators import SchemaGenerator

from accounts.register import AccountLine
from governance.gateways.check.feed_requests import ChangesRequest
from governance.openapi.security import SCHEMES
from governance.usage.wire import UsageEvent

FOLDER: Final = Path(__file__).parent
METHODS: Final = ("get", "post", "put", "patch", "delete")
# What is read into a description from the code that parses it.
STRUCTS: Final = (UsageEvent, ChangesRequest, AccountLine)
PROBLEM: Final = {"$ref": "#/components/responses/Problem"}

Operation = dict[str, Any]


@cache
def openapi_document() -> dict[str, Any]:
    """Return the document; each process makes it once."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    by_hand = [yaml.safe_load(file.read_text()) for file in sorted(FOLDER.glob("*.yaml"))]
    schemas: dict[str, Any] = document["components"].setdefault("schemas", {})
    for part in by_hand:
        document["paths"] |= part.get("paths", {})
        document.setdefault("webhooks", {}).update(part.get("webhooks", {}))
        schemas |= part.get("schemas", {})
        document["components"].setdefault("responses", {}).update(part.get("responses", {}))
    _, structs = msgspec.json.schema_components(STRUCTS, ref_template="#/components/schemas/{name}")
    # Lists in place of tuples, and the end of a text as JSON Schema writes it.
    schemas |= json.loads(json.dumps(structs).replace(r"\\Z", "$"))
    document["components"]["securitySchemes"] = SCHEMES
    document["servers"] = [{"url": settings.PUBLIC_URL}]
    for _, _, operation in operations(document):
        _add_problems(operation)
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, Operation]]:
    """Every path, method and operation of a document, without webhooks."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _add_problems(operation: Operation) -> None:
    """Name the errors that every operation has, unless it says itself what they are."""
    usual = ["401", "403", "default"]
    if operation.get("parameters") or "requestBody" in operation:
        usual.append("400")
    if any(one.get("in") == "path" for one in operation.get("parameters", [])):
        usual.append("404")
    for status in usual:
        operation["responses"].setdefault(status, PROBLEM)
