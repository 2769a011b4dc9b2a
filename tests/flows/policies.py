"""Policies from end to end: usage that they match, leads who let them go live, and what gateways are answered."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from governance import pipeline, tasks
from governance.policies.models import PolicyVersion
from governance.restrictions.models import Change
from governance.staff.roles import Role
from tests.factories import person, service_key
from tests.front import Served, served
from tests.review.pages import signed_in

BLOCK = """version = "1"
[[rule]]
name = "Harvests"
score = 80
families = ["content", "together"]
action = "block"
reason = "bulk_harvest"
"""


@pytest.fixture(autouse=True)
def _all_traffic(settings: Any) -> None:
    """Those who are restricted here are all the traffic there is."""
    settings.AUTOMATIC_TRAFFIC_PERCENT = 100


@pytest.fixture
def ada() -> Client:
    return signed_in(person("Ada Moreau", role=Role.LEAD))


@pytest.fixture
def jonas() -> Client:
    return signed_in(person("Jonas Lindqvist", role=Role.LEAD))


@pytest.fixture
def gateway() -> Iterator[Served]:
    with served() as at:
        yield at


def use(*lines: bytes) -> None:
    _, known = service_key("usage:write")
    taken = Client().post("/api/v1/usage-events", b"\n".join(lines), content_type="application/x-ndjson", **known)
    assert (taken.status_code, taken.json()["rejected"]) == (202, 0)
    tasks.score_dirty_accounts()


def register(path: Path, *accounts: str, **members: Any) -> None:
    """Import the accounts with these facts, and have them scored again."""
    path.write_text("\n".join(json.dumps({"account": name} | members) for name in accounts))
    call_command("import_accounts", path)
    call_command("rescore", *accounts)
    tasks.score_dirty_accounts()


def propose(by: Client, content: str = BLOCK) -> PolicyVersion:
    assert by.post("/policy/propose/", {"content": content}).status_code == 302
    return PolicyVersion.objects.get(content=content)


def go_live(policy: PolicyVersion, by: Client) -> None:
    answer = by.post(f"/policy/{policy.pk}/live/", {"why": "An incident."})
    assert answer.status_code == 302


def plan_earlier(*, hours: int) -> None:
    """Let a policy that went live plan so long ago that what it delays is due now."""
    pipeline.apply_policies(now=timezone.now() - timedelta(hours=hours))


def page(client: Client, path: str = "/policy/") -> str:
    text = re.sub("<[^>]+>", " ", client.get(path).content.decode())
    return " ".join(text.split()).replace(" :", ":")


def answers(gateway: Served, *accounts: str) -> set[str]:
    """What the gateway is told about them, when the web process knows all that has happened."""
    assert gateway.knows(Change.objects.latest("number").number)
    return {gateway.check(account=name)["decision"] for name in accounts}


def locks_waited_for() -> int:
    """How many connections wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
        [number] = cursor.fetchone() or (0,)
    return int(number)
