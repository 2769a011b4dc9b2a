"""The log. Its rows are written by `actions.record` alone; triggers refuse every other change."""

from typing import ClassVar

from django.db import models

from governance.audit.verbs import verb_choices


class EntryQuerySet(models.QuerySet["Entry"]):
    def oldest_first(self) -> "EntryQuerySet":
        return self.order_by("number")


class Entry(models.Model):
    """One thing that was done. `hash` covers every other column and the hash of the entry before."""

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
