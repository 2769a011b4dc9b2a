"""What came in with each service key."""

from typing import ClassVar

from django.db import models

from governance.staff.models import ServiceKey


class NewNameCount(models.Model):
    """How many accounts, keys and organisations that nobody knew came in with a service key in an hour."""

    service_key = models.ForeignKey(ServiceKey, on_delete=models.CASCADE, related_name="new_name_counts")
    hour = models.DateTimeField(help_text="The start of the hour, UTC.")
    names = models.IntegerField(default=0)

    class Meta:
        verbose_name = "count of new names"
        verbose_name_plural = "counts of new names"
        ordering = ("-hour", "service_key")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service_key", "hour"], name="one_count_of_new_names_an_hour"),
        ]

    def __str__(self) -> str:
        return f"{self.service_key} {self.hour:%F %H}: {self.names}"


class LastUsage(models.Model):
    """The newest usage that came in over HTTP with a service key: by this a gateway is seen to serve customers."""

    service_key = models.OneToOneField(
        ServiceKey, on_delete=models.CASCADE, primary_key=True, related_name="last_usage"
    )
    newest_at = models.DateTimeField(help_text="Time of the newest event, by the gateway's clock.")
    received_at = models.DateTimeField()

    class Meta:
        verbose_name = "latest usage of a sender"
        verbose_name_plural = "latest usage by sender"
        ordering = ("service_key",)

    def __str__(self) -> str:
        return f"{self.service_key} {self.newest_at:%F %T}"
