"""Every committed change is delivered to every webhook, with retries."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from governance.audit.models import Entry
from governance.gateways.epochs import begin_epoch
from governance.restrictions.actions import lift
from governance.webhooks.actions import (
    RETRIES,
    create_deliveries,
)
from governance.webhooks.models import Delivery
from tests.factories import MACHINE, account, restriction
from tests.webhooks.delivering import State, added, tell
from tests.webhooks.receiver import Receiver, receiving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_loopback_is_ours")]


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
