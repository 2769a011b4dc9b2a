"""The log. Its rows are written by `actions.record` alone; triggers refuse every other change."""

from typing import ClassVar

from django.db import models

from governance.audit.chain import make_salt
from governance.audit.commitments import SALT_BYTES
from governance.audit.verbs import verb_choices


class EntryQuerySet(models.QuerySet["Entry"]):
    def oldest_first(self) -> "EntryQuerySet":
        return self.order_by("number")


class Entry(models.Model):
    """One thing that was done.

    `leaf` is what is published of it, and `hash` covers it and the hash of the entry before. Entries of releases before
    the log was published have no `leaf`: it follows from their other columns (`queries.leaf_of`), and their `hash`
    covers these. `salt` hides what a leaf commits to (chain.py).
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=254)
    verb = models.CharField(max_length=64, choices=verb_choices)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=254)
    details = models.JSONField(default=dict)
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)
    leaf = models.BinaryField(null=True)
    salt = models.BinaryField(max_length=SALT_BYTES, default=make_salt)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = "audit log entry"
        verbose_name_plural = "audit log"
        ordering = ("-number",)
        indexes: ClassVar = [
            models.Index(fields=["subject_kind", "subject_id", "-number"], name="entry_by_subject"),
            models.Index(fields=["actor_kind", "actor_id", "-number"], name="entry_by_actor"),
            models.Index(fields=["verb", "-number"], name="entry_by_verb"),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.verb}"


class CheckpointQuerySet(models.QuerySet["Checkpoint"]):
    def of_log(self, origin: str) -> "CheckpointQuerySet":
        """Those of the log of this name, the newest first."""
        return self.filter(origin=origin).order_by("-size")


class Checkpoint(models.Model):
    """A head of the log that was signed and published: of which log, of how many entries, and to where."""

    origin = models.CharField(max_length=254)
    size = models.BigIntegerField()
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    at = models.DateTimeField()
    folder = models.CharField(max_length=1000)
    cosignatures = models.TextField(default="", blank=True)
    cosigned_at = models.DateTimeField(null=True, blank=True)
    time_stamp = models.BinaryField(null=True, blank=True)
    stamped_at = models.DateTimeField(null=True, blank=True)

    objects = CheckpointQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint("origin", "size", name="one_checkpoint_of_a_size")]

    def __str__(self) -> str:
        return f"{self.origin} {self.size}"


class PublicationTrouble(models.Model):
    """What keeps the log from being published, witnessed or time-stamped. Gone once that works again.

    `entry` is the first that does not fit, if one is known.
    """

    class Kind(models.TextChoices):
        FAULT = "fault", "does not fit what was published"
        FOLDER = "folder", "folder"
        WITNESS = "witness", "witness"
        TIME_STAMP = "time_stamp", "time-stamp authority"

    kind = models.CharField(max_length=10, choices=Kind, primary_key=True)
    message = models.TextField()
    entry = models.BigIntegerField(null=True, blank=True)
    since = models.DateTimeField()

    class Meta:
        verbose_name_plural = "troubles with publishing the log"

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"
