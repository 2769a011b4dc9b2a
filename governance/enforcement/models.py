"""Restrictions: what is in force against an account or one of its keys, and all that ever was."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from accounts.models import Account, ApiKey


class Reason(models.TextChoices):
    """Why somebody is restricted. The codes are part of the API."""

    BULK_HARVEST = "bulk_harvest", "Answers harvested in bulk"
    REASONING_HARVEST = "reasoning_harvest", "Reasoning traces collected"
    DATA_GENERATION = "data_generation", "Training data generated"
    COORDINATED_ACCOUNTS = "coordinated_accounts", "Accounts acting as one"
    RESOLD_ACCESS = "resold_access", "Access passed on or resold"
    UNVERIFIED_IDENTITY = "unverified_identity", "Identity could not be verified"
    OTHER = "other", "Another reason, see the note"


class RestrictionQuerySet(models.QuerySet["Restriction"]):
    def in_force(self, *, at: datetime) -> Self:
        return self.filter(starts_at__lte=at, ended_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=at))

    def denying(self) -> Self:
        """Those that refuse access altogether."""
        return self.filter(kind__in=Restriction.DENYING)

    def overdue(self, *, at: datetime) -> Self:
        """Over by their own terms, but not yet noted as ended."""
        return self.filter(ended_at=None, expires_at__lte=at)

    def against(self, account: Account) -> Self:
        """Those on the account and on its keys."""
        return self.filter(Q(account=account) | Q(key__account=account))

    def of_account(self, external_id: str) -> Self:
        return self.filter(Q(account__external_id=external_id) | Q(key__account__external_id=external_id))

    def strongest_first(self) -> Self:
        return self.order_by(Restriction.strength_case().desc(), "-number")


class Restriction(models.Model):
    """In force from `starts_at` until it expires, is lifted or is replaced: then `ended_at` says when it ended.

    `number` grows in commit order over all restrictions, so that a gateway can say up to where it knows the world.
    """

    class Kind(models.TextChoices):
        """From the mildest to the strongest."""

        WATCH = "watch", "Watch"
        WARN = "warn", "Warn"
        THROTTLE = "throttle", "Throttle"
        WITHHOLD = "withhold", "Withhold"
        VERIFY = "verify", "Verify"
        SUSPEND = "suspend", "Suspend"
        BLOCK = "block", "Block"

    DENYING = (Kind.SUSPEND, Kind.BLOCK)

    class Ending(models.TextChoices):
        LIFTED = "lifted", "Lifted"
        EXPIRED = "expired", "Expired"
        REPLACED = "replaced", "Replaced by a stronger one"

    number = models.BigIntegerField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, blank=True, related_name="restrictions")
    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, null=True, blank=True, related_name="restrictions")
    kind = models.CharField(max_length=10, choices=Kind)
    reason = models.CharField(max_length=32, choices=Reason)
    terms_clause = models.CharField(max_length=120, blank=True)
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True, help_text="The limit of a throttle.")
    starts_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    author = models.CharField(max_length=254)
    unique_key = models.CharField(
        max_length=200, unique=True, help_text="One decision or one request is one restriction."
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=10, choices=Ending, blank=True)
    ended_by = models.CharField(max_length=254, blank=True)
    ending_note = models.CharField(max_length=500, blank=True)

    objects = RestrictionQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(account__isnull=False, key__isnull=True) | Q(account__isnull=True, key__isnull=False),
                name="restriction_has_one_target",
            ),
            models.UniqueConstraint(
                fields=["account", "kind"],
                condition=Q(ended_at=None),
                name="one_restriction_of_a_kind_an_account",
            ),
            models.UniqueConstraint(
                fields=["key", "kind"], condition=Q(ended_at=None), name="one_restriction_of_a_kind_a_key"
            ),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=models.F("starts_at")),
                name="restriction_expires_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ending="") | (Q(ended_at__isnull=False) & ~Q(ending="")),
                name="an_ended_restriction_says_how",
            ),
            models.CheckConstraint(
                condition=~Q(kind="throttle") | Q(requests_per_minute__isnull=False),
                name="a_throttle_has_a_limit",
            ),
        ]
        permissions: ClassVar = [("lift_restriction", "Can lift restrictions")]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="restriction_by_expiry", condition=Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.kind} of {self.account or self.key}"

    @property
    def denies(self) -> bool:
        return self.kind in self.DENYING

    @classmethod
    def strength_case(cls) -> models.Case:
        """The place of a kind on the ladder, for ordering in the database."""
        places = [models.When(kind=kind, then=models.Value(place)) for place, kind in enumerate(cls.Kind.values)]
        return models.Case(*places, output_field=models.IntegerField())
