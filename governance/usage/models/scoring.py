"""The accounts that wait to be scored."""

from datetime import datetime, timedelta
from typing import ClassVar, Final, Self

from django.db import models

from accounts.models import Account
from governance.platform.leases import lease_ended

# So long a worker has an account for itself; it takes seconds to score one.
LEASE: Final = timedelta(minutes=2)


class DirtyAccountQuerySet(models.QuerySet["DirtyAccount"]):
    def waiting(self, *, at: datetime) -> Self:
        """Free to be claimed: neither dead-lettered nor leased."""
        return self.filter(dead_lettered_at=None).filter(lease_ended("lease_until", at=at, duration=LEASE))

    def dead_letters(self) -> Self:
        return self.exclude(dead_lettered_at=None)


class DirtyAccount(models.Model):
    """An account with usage that no assessment has seen yet.

    `version` grows with every batch of usage, `token` with every claim: who finishes shows both, so that a worker
    that was thought dead can neither overwrite nor forget anything.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="dirty")
    version = models.BigIntegerField(default=1)
    is_forced = models.BooleanField(default=False, help_text="Score it even without new usage.")
    dirty_since = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    token = models.BigIntegerField(default=0)
    attempts = models.SmallIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)
    dead_lettered_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Set when three attempts have failed; requeue with `manage.py rescore --dead-letters`.",
    )

    objects = DirtyAccountQuerySet.as_manager()

    class Meta:
        verbose_name = "account awaiting scoring"
        verbose_name_plural = "accounts awaiting scoring"
        indexes: ClassVar = [models.Index(fields=["dirty_since"], name="dirty_by_age")]

    def __str__(self) -> str:
        return str(self.account)
