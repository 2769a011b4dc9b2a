"""Versions of the policy, their outcomes, and the kill switch."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Account
from governance.detection.models import Assessment
from governance.platform.expiry import Expiry
from governance.restrictions.kinds import LONGEST_KIND, kind_choices
from governance.restrictions.models import Restriction
from governance.staff.models import User


class PolicyVersion(models.Model):
    """A policy: rules that restrict accounts without a person. Each begins in shadow mode; at most one is live."""

    class State(models.TextChoices):
        SHADOW = "shadow", "Shadow mode"
        LIVE = "live", "Live"
        RETIRED = "retired", "Retired"

    version = models.CharField(max_length=40, unique=True)
    content = models.TextField(help_text="The proposed file.")
    state = models.CharField(max_length=10, choices=State, default=State.SHADOW)
    proposed_at = models.DateTimeField()
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    live_since = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    retired_at = models.DateTimeField(null=True, blank=True)
    matched_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the live policy was matched with the assessments made before it went live.",
    )
    scorings = models.BigIntegerField(default=0, help_text="Scorings of accounts that it was evaluated for.")

    class Meta:
        verbose_name = "policy"
        verbose_name_plural = "policies"
        ordering = ("-proposed_at",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="live"), name="one_live_policy"),
            models.CheckConstraint(
                condition=~Q(state="live") | Q(approved_by__isnull=False), name="a_live_policy_was_approved"
            ),
        ]
        permissions: ClassVar = [("approve_policyversion", "Can let a policy go live")]

    def __str__(self) -> str:
        return self.version


class PolicyOutcome(models.Model):
    """What a policy does, or would do, with an account: one row for each kind, however often the account is scored.

    Outcomes of shadow mode and of the live policy are separate rows. A dropped outcome is planned again once nothing
    forbids it any more. An outcome of shadow mode with a reason in `because` would have been dropped.
    """

    class State(models.TextChoices):
        SHADOW = "shadow", "Would have"
        PLANNED = "planned", "Planned"
        DONE = "done", "Done"
        DROPPED = "dropped", "Dropped"
        HELD = "held", "Held for review"

    policy = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="outcomes")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="policy_outcomes")
    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="+")
    rule = models.CharField(max_length=120)
    kind = models.CharField(max_length=LONGEST_KIND, choices=kind_choices)
    terms = models.JSONField(help_text="Reason, clause, limits and days.")
    state = models.CharField(max_length=10, choices=State)
    at = models.DateTimeField(help_text="When a rule first fitted; if it was dropped before, when it was planned.")
    due_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    because = models.CharField(max_length=200, blank=True)
    restriction = models.OneToOneField(
        Restriction, on_delete=models.PROTECT, null=True, blank=True, related_name="policy_outcome"
    )

    # What was done is told by its restriction; what is planned or held waits for somebody.
    expiry: ClassVar = Expiry("at", timedelta(days=365), Q(state__in=[State.SHADOW, State.DROPPED]))

    class Meta:
        ordering = ("-at",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["policy", "account", "kind"],
                condition=~models.Q(state="shadow"),
                name="a_live_policy_acts_once_on_an_account",
            ),
            models.UniqueConstraint(
                fields=["policy", "account", "kind"],
                condition=models.Q(state="shadow"),
                name="a_shadow_policy_counts_an_account_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="policy_outcome_by_due", condition=models.Q(state="planned")),
            models.Index(fields=["policy", "-at"], name="policy_outcome_by_policy"),
        ]

    def __str__(self) -> str:
        return f"{self.policy}: {self.kind} of {self.account}"


class KillSwitch(models.Model):
    """The kill switch: while it is off, no policy restricts anybody; people and the API still can. At most one row."""

    off_since = models.DateTimeField(null=True, blank=True)
    by = models.CharField(max_length=254, blank=True)
    why = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name_plural = "kill switch"
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(pk=1), name="one_kill_switch")]

    def __str__(self) -> str:
        return f"off since {self.off_since:%F %T}" if self.off_since else "on"
