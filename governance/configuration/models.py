"""Values that staff have set. Without a row the value that comes with this release counts."""

from typing import ClassVar, Final

from django.db import models
from django.db.models import Q

LONGEST_TARGET_HOURS: Final = 90 * 24


class DueTarget(models.Model):
    """Within how many hours a case of a band is to be decided."""

    band = models.CharField(primary_key=True, max_length=10)
    hours = models.PositiveIntegerField()

    class Meta:
        verbose_name = "due-date target"
        verbose_name_plural = "due-date targets"
        ordering = ("hours",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(hours__range=(1, LONGEST_TARGET_HOURS)), name="due_within_90_days"),
        ]

    def __str__(self) -> str:
        return f"{self.band}: {self.hours} h"


class ReasonOverride(models.Model):
    """Whether people are offered a reason when they decide, and which terms clause follows from it."""

    reason = models.CharField(primary_key=True, max_length=32)
    is_offered = models.BooleanField("offered", default=True)
    terms_clause = models.CharField(max_length=120, blank=True)

    class Meta:
        verbose_name = "reason override"
        verbose_name_plural = "reason overrides"
        ordering = ("reason",)

    def __str__(self) -> str:
        return self.reason
