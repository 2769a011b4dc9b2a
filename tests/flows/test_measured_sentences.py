"""From usage over HTTP to the case's page and the note: what is compared is said with how many it was compared with."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from governance import pipeline
from governance.campaigns.explanation import explanation_note
from governance.campaigns.models import AccountSample
from governance.campaigns.trait_store import FEWEST_PEERS
from governance.demo import world
from governance.detection.models import Assessment
from governance.usage.scoring_queue import request_rescore
from tests.factories import person, service_key, usage_event
from tests.review.pages import signed_in

pytestmark = pytest.mark.django_db

ENDS_AT = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def harvest() -> list[dict[str, Any]]:
    """What one account of the made-up world sends that harvests in bulk, for four days."""
    made = world.build_world(seed=2026, ends_at=ENDS_AT, days=4, accounts=48)
    harvesters = sorted(name for name, kind in made.labels.items() if kind == "bulk_harvest")
    return [event for event in made.events() if event["account"] == harvesters[0]]


def send(events: list[dict[str, Any]]) -> None:
    key = service_key("usage:write")[1]
    answer = Client().post("/api/v1/usage-events", json.dumps({"events": events}), "application/json", **key)
    assert answer.json()["rejected"] == 0


def judge() -> None:
    while pipeline.govern(now=ENDS_AT):
        pass


def test_a_place_among_customers_is_claimed_only_where_customers_were_compared() -> None:
    events = harvest()
    who = events[0]["account"]
    send(events)
    judge()

    finding = high_output_ratio(who)
    assert finding["evidence"]["ratio_peers"] == 0
    assert "in the top tenth of a built-in reference; too few comparable customers were measured" in finding["sentence"]
    page = page_of(who)
    assert "too few comparable customers were measured" in page
    assert "accounts compared 0" in page
    assert not re.search(r"more than (over )?\d+ % of", page)
    text = " ".join(explanation_note(Account.objects.get(external_id=who)).split())
    assert "too few comparable customers were measured" in text
    assert "accounts compared 0" in text

    # Others use the same model in the same manner, with answers as long as their questions.
    at = (ENDS_AT - timedelta(hours=3)).isoformat()
    model = finding["evidence"]["model"]
    send(
        [
            usage_event(account=f"acct_peer_{place}", model=model, occurred_at=at, input_tokens=300, output_tokens=300)
            for place in range(FEWEST_PEERS + 5)
        ]
    )
    judge()
    compared = AccountSample.objects.filter(model=model, alone=True).count()
    assert compared > FEWEST_PEERS
    Assessment.objects.filter(account__external_id=who).update(model_version="an older calibration")
    request_rescore([Account.objects.get(external_id=who).pk], now=ENDS_AT)
    judge()

    finding = high_output_ratio(who)
    assert finding["evidence"]["ratio_peers"] == compared
    assert f"of {compared} comparable accounts" in finding["sentence"]
    assert f"of {compared} comparable accounts" in page_of(who)


def high_output_ratio(who: str) -> dict[str, Any]:
    latest = Assessment.objects.filter(account__external_id=who).latest("assessed_at", "pk")
    [finding] = [one for one in latest.findings if one["detector"] == "high_output_ratio"]
    return dict(finding)


def page_of(who: str) -> str:
    case = Account.objects.get(external_id=who).cases.get()
    page = signed_in(person()).get(f"/cases/{case.pk}/").content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\N{NO-BREAK SPACE}", " ").split())
