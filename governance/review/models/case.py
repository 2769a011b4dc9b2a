"""Cases and their history."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Greatest

from accounts.models import Account
from governance.campaigns.models import Campaign
from governance.detection.models import BAND_CHOICES, Assessment
from governance.platform.leases import is_lease_active, lease_ended
from governance.review.models.choices import DECISIONS
from governance.review.models.work import CLAIM_LASTS, CaseWork, CaseWorkQuerySet
from governance.web.counts import pluralize


class CaseQuerySet(CaseWorkQuerySet["Case"]):
    def waiting(self) -> Self:
        """Open cases, those that need somebody soonest first. Those that are part of a campaign's are not listed."""
        return self.filter(status=Case.Status.OPEN, part_of=None).order_by("-score", "due_at", "pk")

    def decided(self) -> Self:
        return self.filter(status=Case.Status.DECIDED).order_by("-closed_at", "-pk")

    def resolved_by_origins(self, origins: Iterable[str]) -> Self:
        """Those that were closed with the decisions which made these restrictions."""
        decisions = [one.removeprefix(DECISIONS) for one in origins if one.startswith(DECISIONS)]
        return self.filter(resolved_by__in=decisions)

    def reopenable(self) -> Self:
        """Decided ones whose account or campaign has no open case, and was not decided about since."""
        last = self.alias(last_decision=_last_decision())
        return last.filter(
            *(~models.Exists(_newer_cases(subject)) for subject in ("account", "campaign")),
            ~models.Exists(_covered_since()),
            status=Case.Status.DECIDED,
        )

    def overdue(self, *, at: datetime) -> Self:
        """Open cases that are due: from the very moment on."""
        return self.filter(status=Case.Status.OPEN, due_at__lte=at)

    def claimed(self, *, at: datetime) -> Self:
        return self.exclude(lease_ended("claimed_until", at=at, duration=CLAIM_LASTS))

    def unclaimed(self, *, at: datetime) -> Self:
        return self.filter(lease_ended("claimed_until", at=at, duration=CLAIM_LASTS))


def _last_decision() -> Greatest:
    """The number of the last decision that closed a case, be it its own or one about another case."""
    decided = Case.objects.filter(pk=models.OuterRef("pk"), decisions__isnull=False).order_by("-decisions__number")
    return Greatest(models.Subquery(decided.values("decisions__number")[:1]), "resolved_by__number")


def _newer_cases(subject: str) -> CaseQuerySet:
    """Other cases about the same account or campaign that are open, or were decided later and did not end."""
    others = Case.objects.filter(**{subject: models.OuterRef(subject)}).exclude(pk=models.OuterRef("pk"))
    is_later = Q(status=Case.Status.DECIDED, last_decision__gt=models.OuterRef("last_decision"))
    return others.alias(last_decision=_last_decision()).filter(Q(status=Case.Status.OPEN) | is_later)


def _covered_since() -> models.QuerySet[Account]:
    """The account of a case, where a decision about its campaign covered it later and was not undone."""
    return Account.objects.filter(
        pk=models.OuterRef("account"),
        decided_with__left_out_because="",
        decided_with__decision__undone_at=None,
        decided_with__decision__number__gt=models.OuterRef("last_decision"),
    )


class Case(CaseWork):
    """What a reviewer works on: an account whose assessment asks for a person, or a campaign that shows a harvest.

    The cases of a campaign's members are part of its case while that is open: they are decided with it.
    """

    class Status(models.TextChoices):
        """`ENDED` is a case that nobody has to decide any more: that of a campaign which shows no harvest any more, or
        one that was opened for a bulk decision which was undone.
        """

        OPEN = "open", "Open"
        DECIDED = "decided", "Decided"
        ENDED = "ended", "Ended undecided"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, blank=True, related_name="cases")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, null=True, blank=True, related_name="cases")
    part_of = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="parts",
        help_text="The case of the campaign that the account belongs to.",
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    assessment = models.ForeignKey(
        Assessment,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Of a campaign that of the member with the highest score.",
    )
    score = models.SmallIntegerField(
        help_text="Copy of the assessment's score, so that the queue sorts without a join."
    )
    band = models.CharField(max_length=10, choices=BAND_CHOICES)
    output_tokens = models.BigIntegerField(
        default=0,
        db_default=0,
        help_text="Copy of the assessment's, to filter the queue without a join; of a campaign those of all members.",
    )
    campaign_size = models.IntegerField(
        default=0, db_default=0, help_text="Members of its campaign, or of the open one that its account belongs to."
    )
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
            models.UniqueConstraint(fields=["campaign"], condition=Q(status="open"), name="one_open_case_a_campaign"),
            models.CheckConstraint(
                condition=Q(account=None, campaign__isnull=False, part_of=None)
                | Q(account__isnull=False, campaign=None),
                name="a_case_is_about_an_account_or_a_campaign",
            ),
            models.CheckConstraint(
                condition=Q(status="open", closed_at=None) | ~Q(status="open") & Q(closed_at__isnull=False),
                name="a_closed_case_says_when",
            ),
            models.CheckConstraint(
                condition=Q(status="decided") | Q(resolved_by=None), name="an_open_case_is_not_resolved"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["-score", "due_at", "id"], name="case_in_queue", condition=Q(status="open", part_of=None)
            ),
            models.Index(fields=["-closed_at", "-id"], name="case_decided", condition=Q(status="decided")),
            models.Index(fields=["due_at", "id"], name="case_by_due", condition=Q(status="open", part_of=None)),
            models.Index(fields=["opened_at", "id"], name="case_by_opening", condition=Q(status="open", part_of=None)),
            # Of the overview: a count of all waiting cases from the index alone, and the cases that a day opened.
            models.Index(
                fields=["band", "opened_at"],
                include=["due_at", "held_until"],
                name="case_by_band",
                condition=Q(status="open", part_of=None),
            ),
            models.Index(fields=["opened_at"], name="case_opened_at"),
            models.Index(fields=["output_tokens"], name="case_output_tokens", condition=Q(status="open", part_of=None)),
            # Few cases belong to a campaign: these are listed, and brought up to date, without reading all others.
            models.Index(
                fields=["campaign_size"], name="case_campaign_size", condition=Q(status="open", campaign_size__gt=0)
            ),
            models.Index(
                fields=["held_until", "id"],
                name="case_held",
                condition=Q(status="open", part_of=None, held_until__isnull=False),
            ),
            models.Index(
                fields=["-score", "due_at", "id"],
                name="case_escalated",
                condition=Q(status="open", part_of=None, escalated_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} ({self.score})"

    @property
    def own_account(self) -> Account:
        """The account of a case that is about one. Raises ValueError of that of a campaign."""
        if self.account is None:
            raise ValueError("This is the case of a campaign.")
        return self.account

    @property
    def subject(self) -> str:
        """Whom it is about: the id of the account, or the campaign in words."""
        if self.account is not None:
            return self.account.external_id
        assert self.campaign is not None  # noqa: S101 - a constraint says so
        return f"the campaign of {pluralize(self.campaign.size, 'account')}"

    @property
    def title(self) -> str:
        """What a list calls it."""
        return self.subject if self.account_id is not None else self.subject.removeprefix("the ").capitalize()

    @property
    def subject_details(self) -> dict[str, str]:
        """What entries of the log say of whom it is about."""
        if self.account is not None:
            return {"account": self.account.external_id}
        return {"campaign": str(self.campaign_id)}

    @property
    def is_open(self) -> bool:
        return self.status == self.Status.OPEN

    @property
    def is_part(self) -> bool:
        """Whether it is decided with the case of its campaign, which is open, and not by itself."""
        return self.part_of is not None and self.part_of.is_open

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
        JOINED = "joined", "Part of its campaign's case"
        LEFT = "left", "No longer part of its campaign's case"
        ENDED = "ended", "Ended undecided"
        HELD = "held", "Put on hold"
        RESUMED = "resumed", "Taken off hold"
        ASSIGNED = "assigned", "Assigned"
        ESCALATED = "escalated", "Escalated to leads"
        RETURNED = "returned", "Answered by a lead"
        SKIPPED = "skipped", "Skipped"

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
