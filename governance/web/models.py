"""Answers that are given again: the memory behind the header Idempotency-Key."""

from datetime import timedelta
from typing import ClassVar

from django.db import models

from governance.platform.expiry import Expiry
from governance.staff.models import ServiceKey


class KeptAnswer(models.Model):
    """What a request with an Idempotency-Key was answered. Without a status it has not been answered yet."""

    service_key = models.ForeignKey(ServiceKey, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=128)
    request_digest = models.BinaryField(max_length=32)
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True, help_text="As JSON text, so that it is returned unchanged.")

    expiry: ClassVar = Expiry("at", timedelta(days=7))

    class Meta:
        ordering = ("-at",)
        constraints: ClassVar = [models.UniqueConstraint(fields=["service_key", "key"], name="one_answer_a_key")]
        indexes: ClassVar = [models.Index(fields=["at"], name="kept_answer_by_time")]

    def __str__(self) -> str:
        return self.key
