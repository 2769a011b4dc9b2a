"""Decisions, and the accounts that a decision about a campaign covers."""

import uuid
from collections.abc import Collection
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Func, Q, Value

from accounts.models import Account
from governance.campaigns.models import Campaign
from governance.detection.models import Assessment
from governance.restrictions.kinds import LONGEST_KIND
from governance.restrictions.models import Restriction
from governance.restrictions.reasons import all_reason_choices
from governance.review.models.case import Case
from governance.review.models.choices import DECISIONS, action_choices


class DecisionQuerySet(models.QuerySet["Decision"]):
    def not_undone(self) -> Self:
        """Those that were not undone."""
        return self.filter(undone_at=None)

    def about(self, case: Case) -> Self:
        """Those about the account, or the campaign, of a case."""
        if case.campaign_id is not None:
            return self.filter(case__campaign=case.campaign_id)
        return self.filter(case__account=case.account_id)

    def after(self, decision: "Decision") -> Self:
        """Those about the same account that were made later; about the same campaign those that cover one of the
        accounts of this one.
        """
        return self._about_the_same(decision).filter(number__gt=decision.number)

    def before(self, decision: "Decision") -> Self:
        """Those about the same account that were made earlier; about a campaign none, since a decision about a
        campaign takes the place of others account by account.
        """
        if decision.is_about_campaign:
            return self.none()
        return self._about_the_same(decision).filter(number__lt=decision.number)

    def _about_the_same(self, decision: "Decision") -> Self:
        if not decision.is_about_campaign:
            return self.filter(case__account__cases=decision.case_id)
        own = decision.targets.covered().values("account")
        sharing = DecisionTarget.objects.covered().filter(account__in=own).values("decision")
        return self.filter(case__campaign=decision.campaign_id, pk__in=sharing)

    def unfinished(self) -> Self:
        return self.filter(is_unfinished=True)


class Decision(models.Model):
    """What somebody decided, on what they saw. Its terms never change: it is undone soon, or another one follows."""

    class Scope(models.TextChoices):
        """Whom it is against."""

        ACCOUNT = "account", "This account"
        ORGANISATION = "organisation", "Its whole organisation"
        CAMPAIGN = "campaign", "The whole campaign"

    id = models.UUIDField(
        primary_key=True, editable=False, help_text="Made by the form, so that sending twice decides once."
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions")
    campaign = models.ForeignKey(
        Campaign,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="decisions",
        help_text="Whose accounts it covers, be it about the case of the campaign or of a member.",
    )
    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=LONGEST_KIND, choices=action_choices)
    scope = models.CharField(max_length=12, choices=Scope, default=Scope.ACCOUNT)
    reason = models.CharField(max_length=32, choices=all_reason_choices)
    terms_clause = models.CharField(max_length=120, blank=True)
    note = models.TextField(blank=True)
    number = models.BigIntegerField(
        editable=False,
        db_default=Func(Value("review_decision_number"), function="nextval"),
        help_text="Order of decisions, independent of clocks. It has gaps.",
    )
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions")
    restriction = models.OneToOneField(
        Restriction, on_delete=models.PROTECT, null=True, blank=True, related_name="decision"
    )
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="undone_decisions"
    )
    undone_note = models.CharField(max_length=500, blank=True)
    is_unfinished = models.BooleanField(
        default=False, db_default=False, help_text="Not in force on all its accounts yet."
    )

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        indexes: ClassVar = [
            models.Index(fields=["decided_at"], condition=Q(is_unfinished=True), name="unfinished_decision"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case"], condition=Q(undone_at=None), name="one_standing_decision_a_case"),
            models.CheckConstraint(
                condition=Q(undone_at=None, undone_by=None) | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="an_undone_decision_says_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(action="dismiss", restriction=None) | (~Q(action="dismiss") & Q(restriction__isnull=False)),
                name="a_decision_restricts_unless_it_dismisses",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} by {self.decided_by}"

    @property
    def is_about_campaign(self) -> bool:
        """Return True for a decision on the case of a campaign, False for one on the case of an account."""
        return self.campaign_id is not None and self.case.account_id is None

    @property
    def origin(self) -> str:
        """By what the restrictions that it makes are known."""
        return origin_of(self.pk)


class DecisionTargetQuerySet(models.QuerySet["DecisionTarget"]):
    def covered(self) -> Self:
        return self.filter(left_out_because="")

    def left_out(self) -> Self:
        return self.exclude(left_out_because="")

    def standing(self) -> Self:
        """Those of decisions that were not undone."""
        return self.filter(decision__undone_at=None)

    def last_about(self, accounts: Collection[int]) -> Self:
        """Of each of these accounts what the last decision that was not undone says of it, about whatever campaign."""
        newest_first = self.standing().filter(account__in=accounts).order_by("account_id", "-decision__number")
        return newest_first.distinct("account_id")


class DecisionTarget(models.Model):
    """An account of a campaign that a decision covers, or leaves out for a reason.

    Written with the decision: who joins the campaign later has none.
    """

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="targets")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="decided_with")
    assessment = models.ForeignKey(
        Assessment, on_delete=models.PROTECT, null=True, related_name="+", help_text="The account's newest then."
    )
    left_out_because = models.CharField(max_length=500, blank=True)

    objects = DecisionTargetQuerySet.as_manager()

    class Meta:
        verbose_name = "account decided on"
        verbose_name_plural = "accounts decided on"
        ordering = ("decision", "account")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["decision", "account"], name="an_account_is_decided_on_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account}, {'left out' if self.left_out_because else 'covered'}"


def origin_of(decision: uuid.UUID) -> str:
    """`Restriction.origin` of what a decision puts into force."""
    return f"{DECISIONS}{decision}"
