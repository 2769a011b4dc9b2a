"""A gateway that is set to http:// by mistake gets an error, and no redirect that would expose its key each time."""

import json
from http.client import HTTPConnection
from typing import Any

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from governance.gateways.check.forwarding import is_check_path
from governance.usage.models import UsageEvent
from governance.web.plain_http import RefusePlainHttp
from governance.web.utf8_requests import wsgi_application
from tests.factories import service_key, usage_event
from tests.flows.web_server import running_check, running_web_server
from tests.rules.test_access import ADDRESSES
from tests.waiting import PATIENCE

HOST = "stillwatch.example.com"
OF_GATEWAYS = ["/access/check", "/access/nginx", "/access/envoy/v1/models", "/beta/litellm_basic_guardrail_api"]
OF_MACHINES = [address for address in ADDRESSES if address.startswith(("/api/", "/v1/"))]


class TestThePublicAddressIsOfHttps:
    """TLS ends at a proxy, which says how it was asked."""

    @pytest.fixture(autouse=True)
    def _https(self, settings: Settings) -> None:
        settings.SECURE_SSL_REDIRECT = True
        settings.PUBLIC_URL = f"https://{HOST}"
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    @pytest.mark.parametrize("path", [*OF_GATEWAYS, *OF_MACHINES, "/api", "/api/v1/nothing"])
    @pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
    @pytest.mark.parametrize("how", [{"HTTP_X_FORWARDED_PROTO": "http"}, {}], ids=["said", "unsaid"])
    def test_machines_are_refused_over_http(self, path: str, method: str, how: dict[str, Any]) -> None:
        status, headers, body = ask(path, method, **how)

        assert (status, headers.get("Location")) == ("403 Forbidden", None)
        assert headers["Content-Type"] == "application/problem+json"
        assert f"https://{HOST}" in json.loads(body)["detail"]

    @pytest.mark.django_db
    def test_machines_are_answered_over_https(self) -> None:
        status, _, _ = ask("/api/v1/restrictions", "GET", HTTP_X_FORWARDED_PROTO="https")

        assert status == "401 Unauthorized"

    def test_people_are_led_on(self) -> None:
        status, headers, _ = ask("/sign-in/", "GET", HTTP_X_FORWARDED_PROTO="http")

        assert (status, headers["Location"]) == ("301 Moved Permanently", "https://testserver/sign-in/")


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_a_good_key_counts_for_nothing_over_http() -> None:
    _, shown = service_key("usage:write", "access:read")
    key, body = shown["HTTP_AUTHORIZATION"], json.dumps({"events": [usage_event()]}).encode()

    with (
        running_check() as check,
        running_web_server(
            CHECK_URL=f"http://127.0.0.1:{check}", STILLWATCH_URL=f"https://{HOST}", BEHIND_PROXY="true"
        ) as web,
    ):

        def answered(path: str, *, over: str, body: bytes | None = None) -> int:
            caller = HTTPConnection("127.0.0.1", web, timeout=PATIENCE)
            headers = {"Host": HOST, "Content-Type": "application/json", "X-Forwarded-Proto": over}
            caller.request("POST" if body else "GET", path, body, headers | {"Authorization": key})
            status = caller.getresponse().status
            caller.close()
            return status

        refused = answered("/api/v1/usage-events", over="http", body=body)
        unchecked = answered("/access/check?account=acct_1", over="http")
        checked = answered("/access/check?account=acct_1", over="https")

    assert (refused, unchecked, checked) == (403, 403, 200)
    assert not UsageEvent.objects.exists()


def ask(path: str, method: str, **environ: Any) -> tuple[str, dict[str, str], bytes]:
    """Status, headers and body of an answer of the web application."""
    application = RefusePlainHttp(wsgi_application(), is_asked_by_gateways=is_check_path)
    said: list[Any] = []
    request = RequestFactory().generic(method, path, **environ)
    body = b"".join(application(request.environ, lambda status, headers, *_: said.extend([status, dict(headers)])))
    return said[0], said[1], body
