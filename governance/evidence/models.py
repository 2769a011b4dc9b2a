"""Days of usage that were sealed, and bundles of evidence that were asked for."""

import uuid
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models import Account
from governance.privacy.models import ErasedAccount, HeldAccount, is_campaign_held, is_held
from governance.review.models import Case

LONGEST_REASON: Final = 500


class UsageSealQuerySet(models.QuerySet["UsageSeal"]):
    """Seals; a day has several where events came late."""

    def latest_per_day(self) -> Self:
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


# Whom a bundle about a campaign names: who belongs to it or did.
_OF_CAMPAIGN: Final[dict[str, Any]] = {
    "account__memberships__campaign": OuterRef("case__campaign"),
    "account__memberships__left_out_because": "",
}


class EvidenceBundleQuerySet(models.QuerySet["EvidenceBundle"]):
    def waiting(self) -> Self:
        """Those that a worker is still to make, the oldest first."""
        return self.filter(state=EvidenceBundle.State.WAITING).order_by("requested_at", "pk")

    def held(self) -> Self:
        """Those about an account, a campaign or a member of it, now or before, that is under a legal hold."""
        member_is_held = Exists(HeldAccount.objects.filter(**_OF_CAMPAIGN))
        return self.filter(is_held("case__account") | is_campaign_held("case__campaign") | member_is_held)

    def about_erased(self) -> Self:
        """Those about an account that was erased, or asked for before a member of their campaign was."""
        is_later = Q(erasure__finished_at=None) | Q(erasure__finished_at__gte=OuterRef("requested_at"))
        member_was_erased = Exists(ErasedAccount.objects.filter(is_later, **_OF_CAMPAIGN))
        return self.filter(Q(case__account__erased_on_request=True) | member_was_erased)


class EvidenceBundle(models.Model):
    """A bundle of evidence that somebody asked for on a page. A worker makes it; its file is deleted with the row."""

    class State(models.TextChoices):
        WAITING = "waiting", "Being made"
        MADE = "made", "Ready"
        FAILED = "failed", "Failed"

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, editable=False, help_text="Made by the form: sent twice it is made once."
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="evidence_bundles")
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="evidence_bundles"
    )
    withheld = ArrayField(models.CharField(max_length=40), default=list, blank=True, help_text="What is kept back.")
    with_excerpts = models.BooleanField(default=False)
    reason = models.CharField(max_length=LONGEST_REASON, blank=True, help_text="Why excerpts are in it.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    attempts = models.SmallIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    checkpoint = models.BigIntegerField(default=0, help_text="As of how many entries of the log it speaks.")

    objects = EvidenceBundleQuerySet.as_manager()

    class Meta:
        ordering = ("-requested_at", "pk")
        indexes: ClassVar = [
            models.Index(fields=["requested_at"], name="evidence_waiting", condition=Q(state="waiting")),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(with_excerpts=False, reason="") | (Q(with_excerpts=True) & ~Q(reason="")),
                name="excerpts_are_in_it_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} ({self.state})"

    @property
    def file(self) -> Path:
        return Path(settings.EVIDENCE_FOLDER) / f"{self.pk}.zip"
