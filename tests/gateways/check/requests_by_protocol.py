"""Requests to the check that name accounts, in each of its protocols."""

from collections.abc import Callable
from http.client import HTTPConnection
from urllib.parse import quote

from django.utils import timezone

from tests.factories import account, restriction
from tests.front import Said, Served

SECRET = "sk-of-the-customer"


def block(name: str) -> int:
    return restriction(account(name), at=timezone.now()).number


def raw(front: Served, path: str, *headers: tuple[str, bytes]) -> Said:
    """With headers as bytes, in this order, repeated where they are."""
    caller = HTTPConnection("127.0.0.1", front.port, timeout=30)
    try:
        caller.putrequest("GET", path)
        for name, value in [("X-Stillwatch-Key", front.secret.encode()), *headers]:
            caller.putheader(name, value)
        caller.endheaders()
        answer = caller.getresponse()
        return Said(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        caller.close()


def by_nginx(front: Served, *values: bytes) -> bool:
    """Whether a request with these names of accounts is allowed."""
    return raw(front, "/access/nginx", *(("X-Stillwatch-Account", value) for value in values)).status == 204


def by_envoy(front: Served, *values: bytes) -> bool:
    return raw(front, "/access/envoy/v1", *(("X-Stillwatch-Account", value) for value in values)).status == 200


def by_query(front: Served, *values: bytes) -> bool:
    query = "&".join(f"account={quote(value)}" for value in values)
    said = front.ask(f"/access/check?{query}")
    return said.status == 200 and bool(said.json["decision"] == "allow")


def by_litellm(front: Served, value: bytes) -> bool:
    body = {"request_data": {"user_api_key_team_id": value.decode()}}
    return bool(front.ask("/beta/litellm_basic_guardrail_api", method="POST", body=body).json["action"] == "NONE")


def by_json(front: Served, value: bytes) -> bool:
    said = front.ask("/access/check", method="POST", body={"account": value.decode()})
    return said.status == 200 and bool(said.json["decision"] == "allow")


HEADERS: list[Callable[..., bool]] = [by_nginx, by_envoy]
EVERYWHERE: list[Callable[..., bool]] = [*HEADERS, by_query, by_litellm, by_json]
