"""Days of usage that were sealed, and bundles of evidence that were asked for."""

from typing import ClassVar, Self

from django.db import models

from accounts.models import Account


class UsageSealQuerySet(models.QuerySet["UsageSeal"]):
    def newest_of_each_day(self) -> Self:
        return self.order_by("day", "-number").distinct("day")


class UsageSeal(models.Model):
    """The head of a tree over all usage events of a closed UTC day, which is in the audit log too.

    Events that arrive later are sealed by another row of the day, with the next number.
    """

    day = models.DateField()
    number = models.IntegerField(help_text="1 for the first of its day.")
    root = models.BinaryField(max_length=32)
    accounts = models.IntegerField()
    events = models.BigIntegerField()
    sealed_at = models.DateTimeField()
    entry = models.BigIntegerField(help_text="Number of the audit entry that holds its root.")

    objects = UsageSealQuerySet.as_manager()

    class Meta:
        ordering = ("-day", "-number")
        constraints: ClassVar = [models.UniqueConstraint(fields=["day", "number"], name="one_seal_a_day_and_number")]

    def __str__(self) -> str:
        return f"{self.day} ({self.number})"


class SealedAccount(models.Model):
    """The head of the tree over the events of one account on a sealed day: a leaf of the tree of the day."""

    seal = models.ForeignKey(UsageSeal, on_delete=models.CASCADE, related_name="sealed_accounts")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="sealed_days", db_index=False)
    place = models.IntegerField(help_text="Index of its leaf in the tree of the day.")
    events = models.IntegerField()
    root = models.BinaryField(max_length=32)

    class Meta:
        ordering = ("seal", "place")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "seal"], name="an_account_is_sealed_once_a_seal"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} in {self.seal_id}"
