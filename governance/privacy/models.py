"""Legal holds with the accounts that they cover, and erasures."""

import uuid
from typing import Any, ClassVar, Final, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models import Account, Organisation

LONGEST_REASON: Final = 500


class LegalHoldQuerySet(models.QuerySet["LegalHold"]):
    def in_force(self) -> Self:
        return self.filter(lifted_at=None)


class LegalHold(models.Model):
    """What is kept of an account, an organisation or a campaign is neither deleted nor erased until this is lifted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, blank=True, related_name="legal_holds")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="legal_holds"
    )
    campaign = models.UUIDField(null=True, blank=True, help_text="The campaign: it covers whoever belongs to it.")
    reason = models.CharField(max_length=LONGEST_REASON)
    set_at = models.DateTimeField()
    set_by = models.CharField(max_length=254)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=254, blank=True)
    lifted_because = models.CharField(max_length=LONGEST_REASON, blank=True)

    objects = LegalHoldQuerySet.as_manager()

    class Meta:
        ordering = ("-set_at", "pk")
        permissions: ClassVar = [("lift_legalhold", "Can lift legal holds")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(account__isnull=False, organisation=None, campaign=None)
                | Q(account=None, organisation__isnull=False, campaign=None)
                | Q(account=None, organisation=None, campaign__isnull=False),
                name="a_hold_is_on_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by="") | (Q(lifted_at__isnull=False) & ~Q(lifted_by="")),
                name="a_lifted_hold_says_by_whom",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["campaign"], name="hold_by_campaign", condition=Q(lifted_at=None)),
        ]

    def __str__(self) -> str:
        return f"hold on {' '.join(self.target)}"

    @property
    def target(self) -> tuple[str, str]:
        """What it is on, as the audit log names it."""
        if self.account is not None:
            return "account", self.account.external_id
        if self.organisation is not None:
            return "organisation", self.organisation.external_id
        return "campaign", str(self.campaign)


class HeldAccount(models.Model):
    """An account that a hold in force covers, and has covered since: it stays so until the hold is lifted."""

    hold = models.ForeignKey(LegalHold, on_delete=models.CASCADE, related_name="accounts")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="held")
    since = models.DateTimeField()

    class Meta:
        verbose_name = "held account"
        constraints: ClassVar = [models.UniqueConstraint(fields=["hold", "account"], name="an_account_is_held_once")]

    def __str__(self) -> str:
        return f"{self.account_id} by {self.hold_id}"


class Erasure(models.Model):
    """What was held of a person was erased. First of all the key of the excerpts is gone, and what the register said.

    A worker goes on with the accounts of a large organisation and with usage: `done_up_to` is the primary key of the
    last account of which all is erased, and `finished_at` says when nothing was left.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, blank=True, related_name="erasures")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="erasures"
    )
    reason = models.CharField(max_length=LONGEST_REASON)
    erased_at = models.DateTimeField()
    erased_by = models.CharField(max_length=254)
    done_up_to = models.BigIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-erased_at", "pk")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(account__isnull=False, organisation=None) | Q(account=None, organisation__isnull=False),
                name="an_erasure_is_of_one_thing",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["erased_at"], name="erasure_unfinished", condition=Q(finished_at=None)),
        ]

    def __str__(self) -> str:
        return f"erasure of {' '.join(self.target)}"

    @property
    def target(self) -> tuple[str, str]:
        """Whom it was of, as the audit log names it."""
        if self.account is not None:
            return "account", self.account.external_id
        assert self.organisation is not None  # noqa: S101 - a constraint says so
        return "organisation", self.organisation.external_id


class ErasedAccount(models.Model):
    """An account that an erasure is about: those the organisation had when it began, wherever they are now."""

    erasure = models.ForeignKey(Erasure, on_delete=models.CASCADE, related_name="accounts")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="erased_by")

    class Meta:
        verbose_name = "erased account"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["erasure", "account"], name="an_account_is_once_in_an_erasure"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} by {self.erasure_id}"


def hold_reasons(**covering: Any) -> ArraySubquery:
    """For an annotation: the reasons of the holds in force that fit `covering`, the newest first."""
    holds = LegalHold.objects.in_force().filter(**covering).order_by("-set_at", "pk")
    return ArraySubquery(holds.values("reason"))


def is_held(account: str = "account") -> Exists:
    """For a filter: whether a legal hold covers the account that a row has at `account`."""
    return Exists(HeldAccount.objects.filter(account=OuterRef(account)))


def is_campaign_held(campaign: str = "campaign") -> Exists:
    """For a filter: whether a legal hold is on the campaign that a row has at `campaign`."""
    return Exists(LegalHold.objects.in_force().filter(campaign=OuterRef(campaign)))
