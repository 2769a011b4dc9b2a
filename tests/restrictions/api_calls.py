"""Calls of the API of restrictions."""

from typing import Any

from django.test import Client

from tests.factories import service_key

BLOCK = {"account": "acct_harbour", "kind": "block", "reason": "bulk_harvest", "unique_key": "incident-7"}


def check(client: Client, query: str, *, scope: str = "access:read") -> Any:
    _, known = service_key(scope)
    return client.get(f"/api/v1/access/check?{query}", **known)


def post(client: Client, body: Any, *, address: str = "/api/v1/restrictions", **known: Any) -> Any:
    return client.post(address, body, content_type="application/json", **known)


def restrict(client: Client, *, scope: str = "restrictions:write", **members: Any) -> Any:
    _, known = service_key(scope, name="auto-blocker")
    return client.post("/api/v1/restrictions", BLOCK | members, content_type="application/json", **known)
