"""Webhooks, and the delivery of each change to each of them."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q

from governance.platform.expiry import Expiry
from governance.restrictions.models import Change


class Webhook(models.Model):
    """An address that receives every change, signed as the Standard Webhooks specification says.

    The change feed is the outbox: `sequence` is the newest change that deliveries were created for.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    url = models.CharField("address", max_length=500)
    secrets = models.BinaryField(help_text="Encrypted: the newest first, older ones until they expire.")
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=254)
    sequence = models.BigIntegerField()
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_because = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("created_at",)

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """The delivery of one change to one webhook."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DELIVERED = "delivered", "Delivered"
        GIVEN_UP = "given_up", "Given up"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    change = models.ForeignKey(Change, on_delete=models.PROTECT, null=True, related_name="deliveries")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="When it is tried next; later while an attempt runs.")
    attempts = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, blank=True, help_text="When it was last tried.")
    delivered_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    expiry: ClassVar = Expiry("created_at", timedelta(days=30), ~Q(state=State.WAITING))

    class Meta:
        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"
        ordering = ("-created_at",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["webhook", "change"], name="one_delivery_of_a_change"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="delivery_by_due", condition=Q(state="waiting")),
            models.Index(fields=["webhook", "state", "-tried_at"], name="delivery_by_webhook"),
        ]

    def __str__(self) -> str:
        return f"{self.change_id} to {self.webhook_id}: {self.state}"
