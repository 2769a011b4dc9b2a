"""Names that the register lost at a restore and that restrictions still cover."""

from typing import ClassVar

from django.db import models

from accounts.models import Account, ApiKey, Organisation


class LostName(models.Model):
    """A key, or the digest of one, that gateways know of a customer and that the register lost at a restore.

    Restrictions on the customer cover it until the register, or a sender that may tie keys, says whose it is. It is no
    key of the register, since whose it was is known of a restricted account, but not within an organisation.
    """

    class Kind(models.TextChoices):
        KEY = "key", "Key"
        DIGEST = "digest", "Digest"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, blank=True, related_name="lost_names")
    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, null=True, blank=True, related_name="lost_names")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, null=True, blank=True, related_name="lost_names"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    name = models.CharField(max_length=128)
    restored_at = models.DateTimeField()

    class Meta:
        verbose_name = "name lost in a restore"
        verbose_name_plural = "names lost in a restore"
        ordering = ("kind", "name", "pk")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "key", "organisation", "kind", "name"],
                nulls_distinct=False,
                name="a_lost_name_is_restored_once",
            ),
            models.CheckConstraint(
                condition=models.Q(account__isnull=False, key__isnull=True, organisation__isnull=True)
                | models.Q(account__isnull=True, key__isnull=False, organisation__isnull=True)
                | models.Q(account__isnull=True, key__isnull=True, organisation__isnull=False),
                name="a_lost_name_has_one_customer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
