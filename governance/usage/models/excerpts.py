"""Excerpts of prompts, encrypted, and the keys of their encryption."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from accounts.models import Account
from governance.privacy.models import is_held


class ExcerptQuerySet(models.QuerySet["Excerpt"]):
    def kept(self, *, at: datetime) -> Self:
        return self.filter(Q(expires_at__gt=at) | is_held())

    def expired(self, *, at: datetime) -> Self:
        """Those whose time is over, and that no legal hold keeps."""
        return self.filter(~is_held(), expires_at__lte=at)


class Excerpt(models.Model):
    """The beginning of a sampled prompt, encrypted, for a few weeks.

    Kept are the events of an account and day with the smallest keys: keys are digests, so that this is a fair
    sample which does not depend on order and which the same event twice does not change.
    """

    key = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, db_index=False, related_name="excerpts")
    day = models.DateField()
    occurred_at = models.DateTimeField()
    model = models.CharField(max_length=128)
    ciphertext = models.BinaryField()
    expires_at = models.DateTimeField(db_index=True)

    objects = ExcerptQuerySet.as_manager()

    class Meta:
        ordering = ("-occurred_at",)
        indexes: ClassVar = [models.Index(fields=["account", "day"], name="excerpt_by_day")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.day}"


class DataKey(models.Model):
    """The key of an account's excerpts, wrapped by the installation's own: see excerpts.py."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="data_key")
    encrypted_key = models.BinaryField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.account_id)
