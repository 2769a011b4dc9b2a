"""The feed: how what is in force changed, in the order of commits."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from governance.restrictions.models.restriction import Restriction


class Change(models.Model):
    """One step of the feed: a restriction began, covers other names, or ended. Appended, never altered.

    `number` is gapless and in commit order, and so the version of the world: a gateway that says 42 knows everything
    up to 42.
    """

    class What(models.TextChoices):
        BEGAN = "began", "Began"
        COVERS = "covers", "Covers other names"
        ENDED = "ended", "Ended"

    number = models.BigIntegerField(primary_key=True)
    restriction = models.ForeignKey(Restriction, on_delete=models.PROTECT, related_name="changes")
    what = models.CharField(max_length=10, choices=What)
    at = models.DateTimeField()
    payload = models.JSONField(null=True, help_text="The restriction as sent to gateways; null if it ended.")

    class Meta:
        verbose_name = "restriction change"
        verbose_name_plural = "restriction changes"
        ordering = ("number",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(what="ended", payload=None) | (~Q(what="ended") & Q(payload__isnull=False)),
                name="a_change_has_a_payload_unless_it_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number}: {self.restriction_id} {self.what}"


class FeedEpoch(models.Model):
    """An unbroken history of changes. A new one begins where the database may have lost some: at a restore.

    Its changes have numbers above `starts_after`, which is above every number that was given before, also to what
    was lost. So no two epochs share a number. The newest is the one with the highest `starts_after`.
    """

    identifier = models.CharField(max_length=32, primary_key=True, help_text="Random, in hexadecimal.")
    starts_after = models.BigIntegerField(unique=True)
    continues = models.BigIntegerField(help_text="The last change that it shares with the epoch before.")
    began_at = models.DateTimeField()
    reason = models.CharField(max_length=300)
    author = models.CharField(max_length=254)

    class Meta:
        ordering = ("-starts_after",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(continues__lte=models.F("starts_after")), name="an_epoch_starts_after_the_one_before"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.identifier} after {self.starts_after}"
