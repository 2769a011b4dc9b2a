"""Usage that is sent at one moment, and the hours in which pages show it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import Account
from governance.usage.actions import compact_profiles
from governance.usage.queries import get_hourly_usage
from tests.factories import NOW, service_key

MIDNIGHT = datetime(2026, 11, 2, tzinfo=UTC)
LITELLM = "/api/v1/sources/litellm"
POLLED: dict[str, Any] = {
    "call_type": "aget_responses",
    "messages": [{"role": "user", "content": "<retrieve_response>"}],
}


@pytest.fixture(autouse=True)
def _at_nine() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def key() -> dict[str, Any]:
    return service_key("usage:write")[1]


def send(client: Client, key: dict[str, Any], *events: dict[str, Any], to: str = "/api/v1/usage-events") -> Any:
    body: Any = {"events": events} if to == "/api/v1/usage-events" else events
    answer = client.post(to, json.dumps(body), content_type="application/json", **key)
    assert answer.status_code == 202, answer.content
    return answer.json()


def hours(account: str = "acct_harbour") -> list[tuple[int, int, int]]:
    """Requests and tokens of each hour, as the chart of the case page has them."""
    used_by = Account.objects.get(external_id=account)
    compact_profiles([used_by.pk])
    found = get_hourly_usage(used_by, start=MIDNIGHT - timedelta(days=9), end=MIDNIGHT + timedelta(days=9))
    return [(hour.requests, hour.input_tokens, hour.output_tokens) for hour in found]
