"""Cases, their history, and decisions."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar, Final, Self, TypeAlias

from django.conf import settings
from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.functions import Greatest

from accounts.models import Account
from governance.detection.models import BAND_CHOICES, Assessment
from governance.platform.leases import is_lease_active, lease_ended
from governance.restrictions.kinds import LONGEST_KIND, KindInfo, RestrictionKind, kind_info
from governance.restrictions.models import Restriction
from governance.restrictions.reasons import all_reason_choices

CLAIM_LASTS = timedelta(minutes=30)
DECISIONS = "decision:"


class CaseQuerySet(models.QuerySet["Case"]):
    def waiting(self) -> Self:
        """Open cases, those that need somebody soonest first."""
        return self.filter(status=Case.Status.OPEN).order_by("-score", "due_at", "pk")

    def decided(self) -> Self:
        return self.filter(status=Case.Status.DECIDED).order_by("-closed_at", "-pk")

    def resolved_by_origins(self, origins: Iterable[str]) -> Self:
        """Those that were closed with the decisions which made these restrictions."""
        decisions = [one.removeprefix(DECISIONS) for one in origins if one.startswith(DECISIONS)]
        return self.filter(resolved_by__in=decisions)

    def reopenable(self) -> Self:
        """Decided ones whose account has no open case, and was not decided about since."""
        others = Case.objects.filter(account=models.OuterRef("account")).exclude(pk=models.OuterRef("pk"))
        is_newer = Q(status=Case.Status.OPEN) | Q(last_decision__gt=models.OuterRef("last_decision"))
        newer = others.alias(last_decision=_last_decision()).filter(is_newer)
        return self.alias(last_decision=_last_decision()).filter(~models.Exists(newer), status=Case.Status.DECIDED)

    def overdue(self, *, at: datetime) -> Self:
        return self.filter(status=Case.Status.OPEN, due_at__lt=at)

    def claimed(self, *, at: datetime) -> Self:
        return self.exclude(lease_ended("claimed_until", at=at, duration=CLAIM_LASTS))

    def unclaimed(self, *, at: datetime) -> Self:
        return self.filter(lease_ended("claimed_until", at=at, duration=CLAIM_LASTS))


def _last_decision() -> Greatest:
    """The number of the last decision that closed a case, be it its own or one about another case."""
    own = Decision.objects.filter(case=models.OuterRef("pk")).order_by("-number").values("number")[:1]
    return Greatest(models.Subquery(own), "resolved_by__number")


class Case(models.Model):
    """What a reviewer works on: an account whose assessment asks for a person."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        DECIDED = "decided", "Decided"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="cases")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="+")
    score = models.SmallIntegerField(
        help_text="Copy of the assessment's score, so that the queue sorts without a join."
    )
    band = models.CharField(max_length=10, choices=BAND_CHOICES)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="claimed_cases",
    )
    claimed_until = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        "Decision",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="resolved_cases",
        help_text="The decision about another case that covered this account too.",
    )

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = ("-score", "due_at")
        permissions: ClassVar = [("work_case", "Can claim, note and decide cases")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account"], condition=Q(status="open"), name="one_open_case_an_account"),
            models.CheckConstraint(
                condition=Q(status="open", closed_at=None) | Q(status="decided", closed_at__isnull=False),
                name="a_decided_case_says_when",
            ),
            models.CheckConstraint(
                condition=Q(status="decided") | Q(resolved_by=None), name="an_open_case_is_not_resolved"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-score", "due_at", "id"], name="case_queue", condition=Q(status="open")),
            models.Index(fields=["-closed_at", "-id"], name="case_decided", condition=Q(status="decided")),
        ]

    def __str__(self) -> str:
        return f"{self.account} ({self.score})"

    @property
    def is_open(self) -> bool:
        return self.status == self.Status.OPEN

    def claimant(self, *, at: datetime) -> uuid.UUID | None:
        """Who has claimed the case at this time, by primary key."""
        return self.claimed_by_id if is_lease_active(self.claimed_until, at=at, duration=CLAIM_LASTS) else None


class Step(models.Model):
    """One step in the life of a case: its history, and the source of every statistic about the work."""

    class Kind(models.TextChoices):
        OPENED = "opened", "Opened"
        RESCORED = "rescored", "Score changed"
        CLAIMED = "claimed", "Claimed"
        RELEASED = "released", "Released"
        NOTED = "noted", "Noted"
        DECIDED = "decided", "Decided"
        LIFTED = "lifted", "Restriction removed"
        REOPENED = "reopened", "Reopened"
        RESOLVED = "resolved", "Decided with another case"
        UNDONE = "undone", "Decision undone"

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=10, choices=Kind)
    at = models.DateTimeField()
    by = models.CharField(max_length=254)
    text = models.TextField(blank=True)

    class Meta:
        verbose_name = "case history entry"
        verbose_name_plural = "case history"
        ordering = ("-at", "-pk")
        indexes: ClassVar = [models.Index(fields=["case", "-at"], name="step_by_case")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class Dismissal(models.TextChoices):
    """The action that restricts nobody. All others are kinds of restriction."""

    DISMISS = "dismiss", "Dismiss"


Action: TypeAlias = Dismissal | RestrictionKind
ACTIONS: Final[tuple[Action, ...]] = (Dismissal.DISMISS, *RestrictionKind)
DISMISSAL_ROW: Final = KindInfo(outcome="dismissed", command="Dismiss the case", icon="check", tone="good")


def action_choices() -> list[tuple[str, str]]:
    return [(action.value, str(action.label)) for action in ACTIONS]


def to_action(code: str) -> Action:
    return Dismissal.DISMISS if code == Dismissal.DISMISS else RestrictionKind(code)


def action_info(action: str) -> KindInfo:
    """Return what follows from an action: its words, its icon and what the decision form asks for."""
    return DISMISSAL_ROW if action == Dismissal.DISMISS else kind_info(action)


class DecisionQuerySet(models.QuerySet["Decision"]):
    def not_undone(self) -> Self:
        """Those that were not undone."""
        return self.filter(undone_at=None)

    def after(self, decision: "Decision") -> Self:
        """Those about the same account that were made later."""
        return self.filter(case__account__cases=decision.case_id, number__gt=decision.number)

    def before(self, decision: "Decision") -> Self:
        """Those about the same account that were made earlier."""
        return self.filter(case__account__cases=decision.case_id, number__lt=decision.number)

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
    def origin(self) -> str:
        """By what the restrictions that it makes are known."""
        return origin_of(self.pk)


def origin_of(decision: uuid.UUID) -> str:
    """`Restriction.origin` of what a decision puts into force."""
    return f"{DECISIONS}{decision}"
