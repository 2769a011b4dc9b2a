"""What staff says of an open case short of deciding it, and the tables behind the queue."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Self, TypeVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from governance.campaigns.models import Campaign
from governance.platform.expiry import Expiry
from governance.platform.leases import lease_ended
from governance.staff.models import User
from governance.staff.roles import ESCALATED_TO, WORK_ON_CASES

LONGEST_REASON: Final = 500
LONGEST_QUERY: Final = 1000
CLAIM_LASTS: Final = timedelta(minutes=30)
# What becomes of the claim on a case that is given back, or closed.
GIVEN_BACK: Final[Mapping[str, Any]] = {"claimed_by": None, "claimed_until": None, "is_handed_out": False}
# For how long Next does not hand a case to somebody who skipped it.
SKIP_LASTS: Final = timedelta(hours=8)
# Somebody whose page has asked within this time has the case open. Pages ask every 20 seconds.
VIEWING: Final = timedelta(seconds=50)


# Who is named by what is said of a case.
SAID_BY: Final = ("held_by", "assigned_to", "assigned_by", "escalated_by")


class CaseWork(models.Model):
    """The columns of an open case that say who is to work on it, and when."""

    families = ArrayField(
        models.CharField(max_length=20),
        default=list,
        db_default=[],
        help_text="Copy of the kinds of evidence against the account, so that the queue filters without a join.",
    )
    is_handed_out = models.BooleanField(
        default=False, db_default=False, help_text="Claimed by Next: going on gives it back."
    )
    held_until = models.DateTimeField(null=True, blank=True)
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    held_because = models.CharField(max_length=LONGEST_REASON, blank=True, db_default="")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="assigned_cases"
    )
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    assigned_because = models.CharField(max_length=LONGEST_REASON, blank=True, db_default="")
    escalated_at = models.DateTimeField(null=True, blank=True)
    escalated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    escalated_because = models.CharField(max_length=LONGEST_REASON, blank=True, db_default="")

    class Meta:
        abstract = True

    def is_held(self, *, at: datetime) -> bool:
        """Return True while the case is on hold: it comes back by itself."""
        return self.held_until is not None and self.held_until > at

    @property
    def hold_version(self) -> str:
        """What a form says of the hold that its page showed."""
        return self.held_until.isoformat() if self.held_until is not None else ""


T = TypeVar("T", bound=models.Model)


class CaseWorkQuerySet(models.QuerySet[T]):
    """Questions about who is to work on which case."""

    def held(self, *, at: datetime) -> Self:
        return self.filter(held_until__gt=at)

    def not_held(self, *, at: datetime) -> Self:
        """Those that are on nobody's hold: one whose time has come is back by itself."""
        return self.filter(Q(held_until=None) | Q(held_until__lte=at))

    def escalated(self) -> Self:
        return self.filter(escalated_at__isnull=False)

    def of(self, user: User, *, at: datetime) -> Self:
        """Those that a user has claimed, or that are assigned to them."""
        is_claimed = Q(claimed_by=user) & ~lease_ended("claimed_until", at=at, duration=CLAIM_LASTS)
        return self.filter(is_claimed | Q(assigned_to=user))

    def for_next(self, user: User, *, at: datetime) -> Self:
        """Those that Next may hand to a user: nobody else has claimed them or is assigned, they are neither on hold
        nor skipped by the user lately, and escalated ones are handed to leads only, and to
        whom they are assigned. That of a closed campaign has no members to decide about, and ends soon.
        """
        is_free = lease_ended("claimed_until", at=at, duration=CLAIM_LASTS) | Q(claimed_by=user)
        # Whoever was shut out, or got another role, does not work on it any more.
        at_work = User.objects.filter(is_active=True, role__in=WORK_ON_CASES)
        is_theirs = Q(assigned_to=None) | Q(assigned_to=user) | ~Q(assigned_to__in=at_work.values("pk"))
        skipped = SkippedCase.objects.filter(case=models.OuterRef("pk"), user=user, at__gt=at - SKIP_LASTS)
        found = self.not_held(at=at).filter(is_free, is_theirs, ~models.Exists(skipped))
        found = found.exclude(campaign__state=Campaign.State.CLOSED)
        entrusted = Q(assigned_to=user, assigned_by__role__in=ESCALATED_TO)
        return found if user.role in ESCALATED_TO else found.filter(Q(escalated_at=None) | entrusted)


class SavedView(models.Model):
    """A list of cases by name: the query of its address. Shared ones are offered to everybody."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    is_shared = models.BooleanField(default=False, help_text="Offered to everybody.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("name", "pk")
        constraints: ClassVar = [
            models.UniqueConstraint("owner", Lower("name"), name="one_view_of_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class InboxItem(models.Model):
    """Something that a colleague wants somebody to see: a mention, an assignment, an escalation."""

    class Kind(models.TextChoices):
        MENTIONED = "mentioned", "Mentioned you"
        ASSIGNED = "assigned", "Assigned to you"
        ESCALATED = "escalated", "Escalated to leads"
        RETURNED = "returned", "Answered by a lead"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="inbox")
    case = models.ForeignKey("review.Case", on_delete=models.CASCADE, related_name="inbox_items")
    kind = models.CharField(max_length=12, choices=Kind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    text = models.TextField(blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    expiry: ClassVar = Expiry("at", timedelta(days=180))

    class Meta:
        ordering = ("-at", "-pk")
        indexes: ClassVar = [
            models.Index(fields=["user", "-at", "-id"], name="inbox_by_time"),
            models.Index(fields=["user"], name="inbox_unread", condition=Q(read_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.case}"

    @property
    def icon(self) -> str:
        """A drawing in `static/icons.svg`."""
        return {self.Kind.MENTIONED: "at", self.Kind.ASSIGNED: "person"}.get(self.Kind(self.kind), "flag")


class SkippedCase(models.Model):
    """Next does not hand a case out again soon to somebody who skipped it."""

    case = models.ForeignKey("review.Case", on_delete=models.CASCADE, related_name="skips")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    expiry: ClassVar = Expiry("at", SKIP_LASTS)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "case"], name="one_skip_of_a_case")]

    def __str__(self) -> str:
        return f"{self.user} skipped {self.case}"


class CaseViewer(models.Model):
    """Who has a case open: pages say so every 20 seconds."""

    case = models.ForeignKey("review.Case", on_delete=models.CASCADE, related_name="viewers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()

    expiry: ClassVar = Expiry("seen_at", timedelta(days=1))

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "user"], name="one_viewer_a_case")]

    def __str__(self) -> str:
        return f"{self.user} at {self.case}"
