"""Stillwatch and gateways of this release beside those of the release before, which name no epoch."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from governance.gateways.check import feed
from governance.gateways.models import GatewayInstance, Refusal
from governance.restrictions.actions import lift
from stillwatch_gateway import Gateway
from stillwatch_gateway.messages import read_changes, read_snapshot
from tests.factories import MACHINE, account, restriction
from tests.flows.going_back import remember_database
from tests.front import Served, served
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def front() -> Iterator[Served]:
    with served() as running:
        assert running.front.replica.wait_until_loaded(PATIENCE)
        yield running


@pytest.fixture
def gateway(front: Served, tmp_path: Path) -> Iterator[Gateway]:
    one = Gateway(front.url, front.secret, tmp_path / "kept", instance="a")
    yield one
    one.close()


class TestAClientOfTheReleaseBefore:
    def test_asks_without_an_epoch_and_is_answered(self, front: Served) -> None:
        blocked = restriction(account("acct_1"), at=timezone.now())
        assert front.knows(blocked.number)
        refused = {"number": 1, "first": 1.0, "last": 2.0, "count": 3}
        asked = {"after": 1, "instance": "old", "wait": 0, "refusals": [refused], "faults": 0}

        assert front.ask("/api/v1/access/changes", method="POST", body=asked).status == 200
        front.front.telemetry.flush()

        assert GatewayInstance.objects.get(instance="old").sequence == 1
        assert Refusal.objects.get().count == 3

    def test_takes_the_snapshot_of_a_new_epoch_as_newer_than_all_it_has(self, front: Served) -> None:
        put_back = remember_database()
        for number in range(3):
            restriction(account(f"acct_{number}"), at=timezone.now())
        assert front.knows(3)
        put_back()
        wait_until(lambda: front.front.replica.restricted.sequence > 3)

        assert front.ask("/api/v1/access/changes", method="POST", body={"after": 3, "wait": 0}).status == 410
        head, _ = read_snapshot(front.ask("/api/v1/access/snapshot").body.splitlines())
        assert head.sequence > 3  # it refuses a snapshot of a lower number for ever


class TestAServerOfTheReleaseBefore:
    def test_is_followed_by_numbers_alone(
        self, front: Served, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(feed, "epoch_members", lambda _: {})  # what it says has none of these
        blocked = restriction(account("acct_1"), at=timezone.now())
        gateway.start(PATIENCE)

        wait_until(lambda: not gateway.decide(account="acct_1").allowed)
        lift(blocked, note="a mistake", by=MACHINE, now=timezone.now())
        wait_until(lambda: gateway.decide(account="acct_1").allowed)

        assert (gateway.sequence, gateway.epoch) == (2, "")

    def test_may_be_upgraded_and_downgraded_while_it_is_followed(
        self, front: Served, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as older:
            older.setattr(feed, "epoch_members", lambda _: {})
            restriction(account("acct_1"), at=timezone.now())
            gateway.start(PATIENCE)
            wait_until(lambda: gateway.sequence == 1)
        restriction(account("acct_2"), at=timezone.now())
        wait_until(lambda: not gateway.decide(account="acct_2").allowed)
        assert gateway.epoch == front.front.replica.restricted.epoch

        with monkeypatch.context() as older:
            older.setattr(feed, "epoch_members", lambda _: {})
            restriction(account("acct_3"), at=timezone.now())
            wait_until(lambda: not gateway.decide(account="acct_3").allowed)

        assert not any(gateway.decide(account=f"acct_{number}").allowed for number in (1, 2, 3))

    def test_writes_holders_without_the_columns_of_this_release(self, front: Served) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO gateways_gatewayinstance (instance, started_at, seen_at, sequence) "
                "VALUES ('old', now(), now(), 0)"
            )

        assert GatewayInstance.objects.get(instance="old").trouble == ""


# As the release before sent them: without epoch, lost_numbers, settled_numbers and age.
CHANGES = {
    "format": 1,
    "after": 41,
    "sequence": 42,
    "changes": [{"sequence": 42, "ended": 17}],
    "fail_closed_plans": ["free"],
}
HEAD = {"format": 1, "sequence": 42, "count": 0, "made_at": "2026-11-02T09:14:00Z", "fail_closed_plans": []}


def test_messages_of_the_release_before_are_read() -> None:
    changes = read_changes(json.dumps(CHANGES).encode())
    head, entries = read_snapshot([json.dumps(HEAD).encode()])

    assert (changes.sequence, changes.epoch.identifier, changes.age) == (42, "", 0.0)
    assert (head.sequence, head.epoch.identifier, list(entries)) == (42, "", [])
