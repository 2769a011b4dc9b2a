"""From a decision on a case's page to what that page, the enforcement page and the banner say of each gateway."""

import json
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from time_machine import TimeMachineFixture

from governance.restrictions.models import Restriction
from governance.review.models import Case
from tests.factories import account, case, line, person, restriction, service_key
from tests.front import Served, served
from tests.review.pages import address, block_form, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def front() -> Iterator[Served]:
    with served() as running:
        yield running


@pytest.fixture
def reviewer() -> Client:
    return signed_in(person())


def words(client: Client, page: str) -> str:
    """A page without its markup, on one line."""
    return " ".join(re.sub(r"<[^>]+>", "", client.get(page).content.decode()).split())


def banner(client: Client) -> str:
    return words(client, "/enforcement/alarm/")


def block(client: Client, opened: Case) -> Restriction:
    assert client.post(address(opened, "decide/"), block_form()).status_code == 302
    return Restriction.objects.get(account=opened.account, ended_at=None)


def send_usage(key: dict[str, Any]) -> None:
    sent = line(occurred_at=timezone.now().isoformat(), account="acct_quay")
    answer = Client().post("/api/v1/usage-events", sent, content_type="application/x-ndjson", **key)
    assert answer.json()["accepted"] == 1


class TestAGatewayThatAsksTheCheck:
    def test_is_spoken_of_as_far_as_it_was_heard(
        self, front: Served, reviewer: Client, time_machine: TimeMachineFixture
    ) -> None:
        opened, usage_key = case(account("acct_harbour")), service_key("usage:write", name="litellm")[1]
        blocked = block(reviewer, opened)
        assert front.knows(blocked.number)

        assert front.check(account="acct_harbour")["decision"] == "deny"
        front.front.telemetry.flush()

        page = words(reviewer, address(opened))
        assert "would be refused at the next check by litellm" in page
        assert "Last check just now. Last refusal just now, 1 in total" in page
        assert "in force at litellm" not in page
        assert banner(reviewer) == ""

        # It goes silent: it may serve nobody.
        time_machine.move_to(timezone.now() + timedelta(minutes=7))
        front.front.telemetry.flush()
        page = words(reviewer, address(opened))
        assert "not known whether in force at litellm: no check for 7 min; it is idle or no longer" in page
        assert "Last check 7 min ago. Last refusal 7 min ago, 1 in total" in page
        assert "No check for 7 min; it is idle or no longer connected." in words(reviewer, "/enforcement/")
        assert "No gateway has connected for 5 min, but 1 restriction is in force" in banner(reviewer)

        # It serves, and asks nothing.
        send_usage(usage_key)
        front.front.telemetry.flush()
        page = reviewer.get(address(opened)).content.decode()
        assert 'class="force-alarm"' in page
        assert re.search(
            r"not in force at <b>litellm</b>: no check for 7 min, and usage arrived from it \d+ s ago", page
        )
        assert "litellm no longer checks for restrictions, but usage arrived" in banner(reviewer)

        # It asks again.
        front.check(account="acct_harbour")
        front.front.telemetry.flush()
        assert "would be refused at the next check by litellm" in words(reviewer, address(opened))
        assert banner(reviewer) == ""

    def test_is_known_to_let_somebody_go_once_the_check_knows(self, front: Served, reviewer: Client) -> None:
        opened = case(account("acct_harbour"))
        blocked = block(reviewer, opened)
        assert front.knows(blocked.number)
        front.check(account="acct_harbour")

        reviewer.post(address(opened, f"restrictions/{blocked.number}/lift/"), {"note": "They gave an explanation."})
        assert front.knows(blocked.number + 1)
        front.front.telemetry.flush()

        page = words(reviewer, address(opened))
        assert "would no longer be refused because of it at the next check by litellm" in page
        assert "Last refusal just now" in page

    def test_is_amber_while_usage_comes_through_another_that_asks(
        self, front: Served, reviewer: Client, time_machine: TimeMachineFixture
    ) -> None:
        opened = case(account("acct_harbour"))
        blocked = block(reviewer, opened)
        assert front.knows(blocked.number)
        front.check(account="acct_harbour")
        front.front.telemetry.flush()
        time_machine.move_to(timezone.now() + timedelta(minutes=7))

        secret = service_key("access:read", name="edge")[1]["HTTP_AUTHORIZATION"].partition(" ")[2]
        front.ask("/access/check?account=acct_harbour", key=secret)
        send_usage(service_key("usage:write", name="collector")[1])
        front.front.telemetry.flush()

        page = reviewer.get(address(opened)).content.decode()
        assert page.count('class="force-warning"') == 1
        assert page.count('class="force-good"') == 1
        assert banner(reviewer) == ""


class TestAGatewayThatFollowsTheFeed:
    def test_has_what_each_of_its_instances_reported(self, front: Served, reviewer: Client) -> None:
        opened = case(account("acct_harbour"))
        earlier = restriction(account("acct_quay"), at=timezone.now())
        blocked = block(reviewer, opened)
        assert front.knows(blocked.number)

        self.report(front, "a", earlier.number)
        self.report(front, "b", blocked.number)
        front.front.telemetry.flush()
        page = words(reviewer, address(opened))
        assert "not yet in force at litellm" in page
        assert "1 of 2 instances is 1 change behind" in page
        assert "a reported change 1 just now b reported change 2 just now" in words(reviewer, "/enforcement/")

        self.report(front, "a", blocked.number)
        front.front.telemetry.flush()
        assert "in force at litellm: reported by all 2 instances" in words(reviewer, address(opened))

    def test_is_not_proven_by_what_another_instance_refused(self, front: Served, reviewer: Client) -> None:
        opened = case(account("acct_harbour"))
        restriction(account("acct_quay"), at=timezone.now())
        blocked = block(reviewer, opened)
        assert front.knows(blocked.number)
        refused = {"number": blocked.number, "first": 1.0, "last": time.time(), "count": 1}

        self.report(front, "a", blocked.number, refused)
        self.report(front, "b", blocked.number - 1, refused | {"count": 100})  # it cannot have refused because of it
        front.front.telemetry.flush()

        page = words(reviewer, address(opened))
        assert "not yet in force at litellm" in page
        assert "Last refusal just now, 1 in total" in page

    @staticmethod
    def report(front: Served, instance: str, sequence: int, *refusals: dict[str, Any]) -> None:
        body = {"after": sequence, "instance": instance, "wait": 0, "refusals": refusals}
        assert front.ask("/api/v1/access/changes", method="POST", body=body).status == 200


class TestNoGateway:
    def test_is_a_banner_on_every_page_while_something_is_in_force(self, reviewer: Client) -> None:
        opened = case(account("acct_harbour"))
        assert banner(reviewer) == ""

        block(reviewer, opened)
        blocked_at = Restriction.objects.get().starts_at
        Restriction.objects.update(starts_at=blocked_at - timedelta(seconds=10))
        Restriction.objects.get().changes.update(at=blocked_at - timedelta(seconds=10))

        assert "No gateway has connected for 5 min, but 1 restriction is in force" in banner(reviewer)
        assert 'hx-get="/enforcement/alarm/" hx-trigger="load, every 20s"' in reviewer.get("/queue/").content.decode()
        assert "No gateway connected in the last day: this is not applied anywhere." in words(reviewer, address(opened))


def test_usage_of_the_past_says_nothing_of_a_gateway(front: Served, reviewer: Client) -> None:
    opened = case(account("acct_harbour"))
    blocked = block(reviewer, opened)
    assert front.knows(blocked.number)

    key = service_key("usage:write", name="litellm")[1]
    sent = line(occurred_at=(timezone.now() - timedelta(days=3)).isoformat())
    Client().post("/api/v1/usage-events", json.dumps({"events": [json.loads(sent)]}), "application/json", **key)

    assert "usage of" not in banner(reviewer)
