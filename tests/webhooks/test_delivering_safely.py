"""Slow receivers, workers that die, signatures, and webhooks that are switched off."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from standardwebhooks.webhooks import WebhookVerificationError

from governance.audit.models import Entry
from governance.webhooks.actions import (
    LEASE,
    LONGEST_RUN,
    _claim,
    _record_attempt,
    create_deliveries,
    deliver,
    disable,
    enable,
    ping,
    replay,
    rotate_secret,
)
from governance.webhooks.models import Delivery, Webhook
from governance.webhooks.sending import PostResult
from tests.factories import MACHINE, account, restriction
from tests.waiting import PATIENCE, wait_until
from tests.webhooks.delivering import State, added, tell
from tests.webhooks.receiver import Receiver, receiving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_loopback_is_ours")]


def deliver_and_disconnect(webhook: Webhook) -> int:
    """Deliver in a thread of its own, with the real clock."""
    try:
        return deliver(webhook.pk, clock=timezone.now)
    finally:
        connection.close()


class TestASlowReceiver:
    def test_delays_nobody_but_itself(self, receiver: Receiver) -> None:
        quick, _ = added(receiver)
        with ThreadPoolExecutor(2) as pool, receiving() as slow:
            late, _ = added(slow)
            slow.may_answer.clear()
            restriction(account())
            create_deliveries(now=timezone.now())

            waiting, done = (pool.submit(deliver_and_disconnect, webhook) for webhook in (late, quick))

            assert done.result(PATIENCE) == 1
            assert not waiting.done()
            slow.may_answer.set()
            assert waiting.result(PATIENCE) == 1

    def test_is_asked_by_one_process_at_a_time(self, receiver: Receiver) -> None:
        webhook, _ = added(receiver)
        restriction(account())
        create_deliveries(now=timezone.now())
        receiver.may_answer.clear()

        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(deliver_and_disconnect, webhook)
            wait_until(lambda: bool(receiver.received))
            second = pool.submit(deliver_and_disconnect, webhook)

            assert second.result(PATIENCE) == 0
            receiver.may_answer.set()
            assert first.result(PATIENCE) == 1

    def test_gives_others_their_turn_after_a_while(self, receiver: Receiver) -> None:
        webhook, _ = added(receiver)
        for _ in range(3):
            restriction(account())
        create_deliveries(now=timezone.now())
        looks = count()

        def slow_clock() -> datetime:
            return timezone.now() + LONGEST_RUN / 3 * next(looks)

        assert [deliver(webhook.pk, clock=slow_clock) for _ in range(4)] == [1, 1, 1, 0]


class TestAWorkerThatDies:
    def test_loses_nothing(self, receiver: Receiver) -> None:
        webhook, _ = added(receiver)
        restriction(account())
        create_deliveries(now=timezone.now())
        _claim(webhook, now=timezone.now())  # and here it dies

        assert tell() == 0
        assert tell(later=LEASE + timedelta(seconds=1)) == 1
        assert Delivery.objects.get().state == State.DELIVERED

    def test_holds_up_the_one_message_that_it_was_telling(self, receiver: Receiver) -> None:
        webhook, _ = added(receiver)
        for _ in range(3):
            restriction(account())
        create_deliveries(now=timezone.now())
        _claim(webhook, now=timezone.now())  # and here it dies

        assert tell() == 2


class TestASecret:
    def test_is_changed_without_losing_a_message(self, receiver: Receiver) -> None:
        webhook, old = added(receiver)
        new = rotate_secret(webhook, by=MACHINE, now=timezone.now())
        restriction(account())
        tell()

        assert receiver.verified(old) == receiver.verified(new)

    def test_is_out_of_use_a_day_after_another_came(self, receiver: Receiver) -> None:
        webhook, old = added(receiver)
        new = rotate_secret(webhook, by=MACHINE, now=timezone.now() - timedelta(hours=25))
        restriction(account())
        tell()

        receiver.verified(new)
        with pytest.raises(WebhookVerificationError):
            receiver.verified(old)

    def test_stands_in_no_entry_and_no_row(self, receiver: Receiver) -> None:
        webhook, secret = added(receiver)

        details = str(list(Entry.objects.values_list("details", flat=True)))
        assert secret not in details
        assert "hook?x=1" not in details
        assert secret.encode() not in bytes(webhook.secrets)

    def test_that_cannot_be_read_any_more_is_said_and_can_be_changed(self, receiver: Receiver, settings: Any) -> None:
        webhook, _ = added(receiver)
        restriction(account())
        settings.SECRET_KEY = "another one, with which the rows were not encrypted"
        tell()
        said = Delivery.objects.get().last_error

        new = rotate_secret(webhook, by=MACHINE, now=timezone.now())
        tell(later=timedelta(seconds=6))

        assert "SECRET_KEY" in said
        assert len(receiver.verified(new)) == 1


class TestSwitching:
    def test_off_lets_changes_wait_and_on_tells_them(self, receiver: Receiver) -> None:
        webhook, _ = added(receiver)
        disable(webhook, because="Maintenance.", by=MACHINE, now=timezone.now())
        restriction(account())
        before = tell()
        enable(webhook, by=MACHINE, now=timezone.now())

        assert (before, tell()) == (0, 1)

    def test_off_while_messages_are_sent_stops_them(self, receiver: Receiver) -> None:
        webhook, _ = added(receiver)
        for _ in range(5):
            restriction(account())
        create_deliveries(now=timezone.now())
        receiver.may_answer.clear()

        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(deliver_and_disconnect, webhook)
            wait_until(lambda: bool(receiver.received))
            disable(webhook, because="It was the wrong address.", by=MACHINE, now=timezone.now())
            receiver.may_answer.set()

            assert sent.result(PATIENCE) == 1

    @pytest.mark.parametrize("outcome", [PostResult(204), PostResult(500)])
    def test_replays_what_is_under_way_once_more_and_at_once(self, receiver: Receiver, outcome: PostResult) -> None:
        webhook, _ = added(receiver)
        restriction(account())
        create_deliveries(now=timezone.now())
        claim = _claim(webhook, now=timezone.now())
        assert claim is not None

        replay(webhook, deliveries=[str(claim.delivery.pk)], by=MACHINE, now=timezone.now())
        _record_attempt(claim, outcome, now=timezone.now())

        assert tell() == 1

    def test_replays_with_the_same_id(self, receiver: Receiver) -> None:
        webhook, _ = added(receiver)
        restriction(account())
        tell()

        assert replay(webhook, since=timezone.now() - timedelta(hours=1), by=MACHINE, now=timezone.now()) == 1
        tell()

        assert len(receiver.ids) == 2
        assert len(set(receiver.ids)) == 1

    def test_can_be_tried_out(self, receiver: Receiver) -> None:
        webhook, secret = added(receiver)
        ping(webhook, by=MACHINE, now=timezone.now())
        tell()

        assert receiver.verified(secret)[0]["type"] == "webhook.test"
