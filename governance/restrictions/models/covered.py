"""What restrictions cover, as rows: the published names, and the accounts that they were on."""

from typing import ClassVar

from django.db import models

from accounts.models import Account
from governance.restrictions.models.restriction import Restriction
from stillwatch_gateway.entries import NAMED_BY


class CoveredName(models.Model):
    """A name that a live restriction covers, as published to gateways."""

    restriction = models.ForeignKey(
        Restriction,
        on_delete=models.CASCADE,
        related_name="covered_names",
        db_index=False,  # the constraint below begins with it
    )
    kind = models.CharField(max_length=12, choices=[(kind, kind.capitalize()) for kind in NAMED_BY])
    name = models.CharField(max_length=128)

    class Meta:
        ordering = ("restriction", "kind", "name")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["restriction", "kind", "name"], name="a_name_is_covered_once"),
        ]

    def __str__(self) -> str:
        return f"#{self.restriction_id} covers {self.kind} {self.name}"


class CoveredAccount(models.Model):
    """An account that a restriction on an organisation or a key was on at some time while it was in force.

    Kept after the restriction has ended and the account has left: what staff lifts counts for these accounts.
    """

    restriction = models.ForeignKey(
        Restriction,
        on_delete=models.CASCADE,
        related_name="covered_accounts",
        db_index=False,  # the constraint below begins with it
    )
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="covering")

    class Meta:
        ordering = ("restriction", "account")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["restriction", "account"], name="an_account_is_covered_once"),
        ]

    def __str__(self) -> str:
        return f"#{self.restriction_id} was on {self.account}"
