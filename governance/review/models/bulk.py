"""Decisions about many accounts at once, and what became of each account."""

import uuid
from typing import ClassVar, Final, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import Account
from governance.restrictions.kinds import LONGEST_KIND
from governance.restrictions.reasons import all_reason_choices
from governance.review.models.case import Case
from governance.review.models.choices import action_choices
from governance.review.models.decision import Decision

MOST_AT_ONCE: Final = 500


class BulkDecisionQuerySet(models.QuerySet["BulkDecision"]):
    def unfinished(self) -> Self:
        """Those of which accounts wait to be decided or undone, the oldest first."""
        return self.filter(is_unfinished=True).order_by("decided_at", "pk")


class BulkDecision(models.Model):
    """One verdict about many accounts. Each gets a decision of its own, which a worker makes: see review/bulk.

    Undoing it undoes every decision that it made and that still stands.
    """

    id = models.UUIDField(
        primary_key=True, editable=False, help_text="Made by the form, so that sending twice decides once."
    )
    action = models.CharField(max_length=LONGEST_KIND, choices=action_choices)
    reason = models.CharField(max_length=32, choices=all_reason_choices)
    terms_clause = models.CharField(max_length=120, blank=True)
    note = models.TextField(blank=True)
    lasts = models.DurationField(null=True, blank=True, help_text="How long the restriction of each account lasts.")
    requests_per_minute = models.IntegerField(null=True, blank=True)
    tokens_per_minute = models.BigIntegerField(null=True, blank=True)
    withheld = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    seen = models.BigIntegerField(
        help_text="Number of the newest decision when the preview was shown: accounts decided about later are skipped."
    )
    seen_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the preview was shown: accounts that a colleague put off later are skipped.",
    )
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bulk_decisions")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    undone_note = models.CharField(max_length=500, blank=True)
    is_unfinished = models.BooleanField(default=True, help_text="Accounts wait to be decided, or undone.")

    objects = BulkDecisionQuerySet.as_manager()

    class Meta:
        ordering = ("-decided_at", "pk")
        indexes: ClassVar = [
            models.Index(fields=["decided_at"], condition=Q(is_unfinished=True), name="unfinished_bulk_decision"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by=None) | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="an_undone_bulk_decision_says_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} by {self.decided_by}"

    @property
    def state_left(self) -> "BulkTarget.State":
        """The state of the accounts that a worker still has to reach: to decide about them, or to undo that."""
        return BulkTarget.State.WAITING if self.undone_at is None else BulkTarget.State.DECIDED

    def key_of(self, account: int) -> uuid.UUID:
        """The id of the decision that it makes about an account, and of the case that it opens for one without: always
        the same one, so that each is made once and is known as its own.
        """
        return uuid.uuid5(self.pk, str(account))


class BulkTarget(models.Model):
    """An account that a bulk decision is about, and what became of it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DECIDED = "decided", "Decided"
        SKIPPED = "skipped", "Skipped"
        UNDONE = "undone", "Undone"
        KEPT = "kept", "Not undone"

    bulk = models.ForeignKey(BulkDecision, on_delete=models.CASCADE, related_name="targets")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="bulk_targets")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decision = models.OneToOneField(
        Decision, on_delete=models.PROTECT, null=True, blank=True, related_name="bulk_target"
    )
    because = models.CharField(max_length=500, blank=True, help_text="Why it was skipped, or not undone.")
    attempts = models.SmallIntegerField(default=0, help_text="How often deciding or undoing failed.")

    class Meta:
        verbose_name = "account of a bulk decision"
        verbose_name_plural = "accounts of bulk decisions"
        ordering = ("bulk", "account")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bulk", "account"], name="an_account_is_once_in_a_bulk_decision"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "skipped"], decision=None)
                | Q(state__in=["decided", "undone", "kept"], decision__isnull=False),
                name="a_decided_bulk_target_has_its_decision",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["skipped", "kept"]) | ~Q(because=""), name="a_skipped_bulk_target_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}, {self.get_state_display().lower()}"
