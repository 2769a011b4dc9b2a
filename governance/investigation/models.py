"""The watch-list: accounts that somebody wants to keep an eye on, without a case and without any restriction."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from accounts.models import Account


class WatchedAccount(models.Model):
    """An account on the watch-list, which all staff share. What was once on it is in the audit log."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="watched")
    reason = models.CharField(max_length=500)
    score = models.SmallIntegerField(null=True, blank=True, help_text="Its score then, if it had one.")
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-added_at",)
        permissions: ClassVar = [("watch_account", "Can put accounts on the watch-list")]

    def __str__(self) -> str:
        return str(self.account)
