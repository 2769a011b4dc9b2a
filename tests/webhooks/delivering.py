"""Deliveries at once, as the worker makes them."""

from datetime import datetime, timedelta

from django.utils import timezone

from governance.webhooks.actions import (
    add_webhook,
    create_deliveries,
    deliver,
)
from governance.webhooks.models import Delivery, Webhook
from tests.factories import MACHINE
from tests.webhooks.receiver import Receiver

State = Delivery.State


def added(receiver: Receiver) -> tuple[Webhook, str]:
    return add_webhook(receiver.url, by=MACHINE, now=timezone.now())


def tell(*, later: timedelta = timedelta(0)) -> int:
    """What the tasks do, at a time to come."""

    def clock() -> datetime:
        return timezone.now() + later

    return sum(deliver(webhook, clock=clock) for webhook in create_deliveries(now=clock()))
