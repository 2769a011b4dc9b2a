"""Decisions and requests whose restrictions were lifted as a whole."""

from collections.abc import Collection

from django.db import models


class LiftedOriginQuerySet(models.QuerySet["LiftedOrigin"]):
    def has(self, origin: str) -> bool:
        return self.filter(origin=origin).exists()

    def add(self, origins: Collection[str]) -> None:
        """The caller holds the lock of the log, so that nothing is put into force for them afterwards."""
        self.bulk_create([LiftedOrigin(origin=origin) for origin in sorted(origins)], ignore_conflicts=True)


class LiftedOrigin(models.Model):
    """A decision or request of which everything was lifted: of what it has left, nothing is put into force any more.

    The rows of its restrictions do not say so. They may have been replaced before, and some accounts of a campaign may
    have been lifted by themselves.
    """

    origin = models.CharField(max_length=255, primary_key=True, help_text="Origin of its restrictions.")

    objects = LiftedOriginQuerySet.as_manager()

    class Meta:
        verbose_name = "removed origin"
        verbose_name_plural = "removed origins"
        ordering = ("origin",)

    def __str__(self) -> str:
        return self.origin
