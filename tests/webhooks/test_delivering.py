"""Every committed change is delivered to every webhook, with retries."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from standardwebhooks.webhooks import WebhookVerificationError

from governance.audit.models import Entry
from governance.gateways.epochs import begin_epoch
from governance.restrictions.actions import lift
from governance.webhooks.actions import (
    LEASE,
    LONGEST_RUN,
    RETRIES,
    _claim,
    _record_attempt,
    add_webhook,
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
from tests.webhooks.receiver import Receiver, receiving

pytestmark = pytest.mark.django_db(transaction=True)
State = Delivery.State


@pytest.fixture(autouse=True)
def _loopback_is_ours(settings: Any) -> None:
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def added(receiver: Receiver) -> tuple[Webhook, str]:
    return add_webhook(receiver.url, by=MACHINE, now=timezone.now())


def tell(*, later: timedelta = timedelta(0)) -> int:
    """What the tasks do, at a time to come."""

    def clock() -> datetime:
        return timezone.now() + later

    return sum(deliver(webhook, clock=clock) for webhook in create_deliveries(now=clock()))


def deliver_and_disconnect(webhook: Webhook) -> int:
    """Deliver in a thread of its own, with the real clock."""
    try:
        return deliver(webhook.pk, clock=timezone.now)
    finally:
        connection.close()


class TestAChange:
    def test_is_told_signed_with_what_is_in_force(self, receiver: Receiver) -> None:
        _, secret = added(receiver)
        block = restriction(account("acct_harbour"))
        lift(block, note="a mistake", by=MACHINE, now=timezone.now())

        tell()

        began, ended = receiver.verified(secret)
        assert (began["type"], began["data"]["sequence"]) == ("restriction.began", 1)
        assert began["data"]["restriction"]["names"]["account"] == ["acct_harbour"]
        assert (ended["type"], ended["data"]["restriction"]["ending"]) == ("restriction.ended", "lifted")

    def test_is_told_once(self, receiver: Receiver) -> None:
        added(receiver)
        restriction(account())

        assert [tell(), tell(later=timedelta(days=1))] == [1, 0]

    def test_from_before_the_webhook_is_not_told(self, receiver: Receiver) -> None:
        restriction(account())
        added(receiver)

        assert tell() == 0

    def test_after_a_new_epoch_is_told_without_going_through_the_numbers_left_out(
        self, receiver: Receiver, django_assert_max_num_queries: Any
    ) -> None:
        added(receiver)
        begin_epoch(reason="The database was put back.", by=MACHINE, now=timezone.now())
        restriction(account())

        # the webhooks that are behind, its portion of changes, where it is by then, and that nobody is behind any more
        with django_assert_max_num_queries(20):
            create_deliveries(now=timezone.now())

        assert Delivery.objects.count() == 1

    def test_made_into_deliveries_by_several_at_once_is_told_once(self, receiver: Receiver) -> None:
        added(receiver)
        for _ in range(20):
            restriction(account())

        def out(_: int) -> None:
            try:
                create_deliveries(now=timezone.now())
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(out, range(8)))
        tell()

        assert Delivery.objects.count() == 20
        assert len(set(receiver.ids)) == len(receiver.received) == 20


class TestAReceiverThatFails:
    def test_is_tried_again_with_the_same_id_for_three_days(self, receiver: Receiver) -> None:
        added(receiver)
        restriction(account())
        receiver.statuses = [500]

        waited = timedelta(0)
        for pause in (timedelta(0), *RETRIES):
            waited += 1.2 * pause
            tell(later=waited)

        assert Delivery.objects.get().state == State.GIVEN_UP
        assert len(receiver.received) == len(RETRIES) + 1
        assert len(set(receiver.ids)) == 1
        assert timedelta(days=2.5) < sum(RETRIES, timedelta(0)) < timedelta(days=3.5)

    def test_is_not_tried_before_its_time(self, receiver: Receiver) -> None:
        added(receiver)
        restriction(account())
        receiver.statuses = [500, 204]

        assert [tell(), tell(), tell(later=timedelta(seconds=6))] == [1, 0, 1]
        assert Delivery.objects.get().state == State.DELIVERED

    def test_is_left_alone_as_long_as_it_asks(self, receiver: Receiver) -> None:
        added(receiver)
        restriction(account())
        receiver.statuses, receiver.headers = [429], {"Retry-After": "600"}
        tell()

        assert tell(later=timedelta(seconds=500)) == 0

    def test_is_disabled_where_it_says_that_it_is_gone(self, receiver: Receiver) -> None:
        webhook, _ = added(receiver)
        for _ in range(3):
            restriction(account())
        receiver.statuses = [410]

        tell()

        webhook.refresh_from_db()
        assert webhook.disabled_at is not None
        assert len(receiver.received) == 1
        assert Entry.objects.filter(verb="webhook.disabled").exists()

    def test_is_not_followed_elsewhere(self, receiver: Receiver) -> None:
        added(receiver)
        restriction(account())
        receiver.statuses, receiver.headers = [302], {"Location": receiver.url}

        tell()

        assert len(receiver.received) == 1
        assert Delivery.objects.get().last_status == 302

    def test_keeps_what_else_is_due_for_later_where_nobody_answers(self) -> None:
        with receiving() as gone:
            webhook, _ = added(gone)
        for _ in range(3):
            restriction(account())

        assert tell() == 1
        assert list(webhook.deliveries.order_by("change").values_list("attempts", flat=True)) == [1, 0, 0]

    @pytest.mark.parametrize("status", [429, 503])
    def test_gets_one_message_only_where_it_asks_for_quiet(self, receiver: Receiver, status: int) -> None:
        added(receiver)
        for _ in range(5):
            restriction(account())
        receiver.statuses, receiver.headers = [status], {"Retry-After": "600"}
        tell()

        assert tell(later=timedelta(seconds=500)) == 0
        assert len(receiver.received) == 1

    def test_gets_the_other_messages_where_it_refuses_one(self, receiver: Receiver) -> None:
        added(receiver)
        for _ in range(3):
            restriction(account())
        receiver.statuses = [400, 204]
        tell()

        assert len(receiver.received) == 3

    def test_holds_a_new_message_up_for_a_minute_only_however_long_an_old_one_waits(self) -> None:
        with receiving() as gone:
            webhook, _ = added(gone)
        for _ in range(2):
            restriction(account())
        create_deliveries(now=timezone.now())
        webhook.deliveries.filter(change=1).update(attempts=len(RETRIES) - 1)

        tell()

        old, new = webhook.deliveries.order_by("change")
        assert old.due_at > timezone.now() + timedelta(hours=23)
        assert new.due_at < timezone.now() + timedelta(minutes=2)


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
