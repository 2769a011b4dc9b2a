"""Restrictions: those in force against a customer, and all earlier ones."""

from datetime import datetime
from typing import ClassVar, Final, Self, TypeAlias

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models import Account, ApiKey, Organisation
from governance.campaigns.models import Campaign
from governance.restrictions.gateway_times import start_for_gateways
from governance.restrictions.kinds import (
    DENYING,
    FEATURES,
    LIMITS,
    LONGEST_KIND,
    STRENGTH,
    RestrictionKind,
    Withheld,
    kind_choices,
    kinds_with,
)
from governance.restrictions.reasons import restricting_choices
from governance.restrictions.terms import Terms

# The unique key of what is in force again begins so.
RESTORED: Final = "again:"


def _is_in_force(at: datetime) -> Q:
    has_begun = Q(starts_later=False) | Q(starts_at__lte=at)
    return Q(ended_at=None) & has_begun & (Q(effective_until=None) | Q(effective_until__gt=at))


class RestrictionQuerySet(models.QuerySet["Restriction"]):
    def in_force(self, *, at: datetime) -> Self:
        return self.filter(_is_in_force(at))

    def in_force_or_lifted(self, *, at: datetime, since: datetime) -> Self:
        """Those in force, and those that were lifted or undone after a time."""
        return self.filter(_is_in_force(at) | Q(ending__in=Restriction.BY_HAND, ended_at__gt=since))

    def denying(self) -> Self:
        """Those that refuse access altogether."""
        return self.filter(kind__in=DENYING)

    def overdue(self, *, at: datetime) -> Self:
        """Over by their own terms, but not yet noted as ended."""
        return self.filter(ended_at=None, expires_at__lte=at)

    def followed_since(self, *, since: datetime) -> Self:
        """Those with another of their kind on their target that was to start later, and did at `since` or after it."""
        same = Q(account=OuterRef("account")) | Q(key=OuterRef("key")) | Q(organisation=OuterRef("organisation"))
        planned = Restriction.objects.order_by().filter(same, kind=OuterRef("kind"), starts_later=True, ended_at=None)
        return self.filter(Exists(planned.filter(starts_at__gte=since)))

    def against(self, account: Account) -> Self:
        """Those on the account, on its keys and on its organisation."""
        touched = Q(account=account) | Q(key__account=account)
        if account.organisation_id is not None:
            touched |= Q(organisation=account.organisation_id)
        return self.filter(touched)

    def of_account(self, external_id: str) -> Self:
        return self.filter(
            Q(account__external_id=external_id)
            | Q(key__account__external_id=external_id)
            | Q(organisation__accounts__external_id=external_id)
        )

    def strongest_first(self) -> Self:
        return self.order_by(Restriction.strength_case().desc(), "-number")


class Restriction(models.Model):
    """In force once it is stored, or from `starts_at` on where it was to start later.

    It is so until it expires, is lifted or is replaced: then `ended_at` says when it ended. `number` is that of the
    change that began it, in the one sequence of all changes.
    """

    Kind: TypeAlias = RestrictionKind

    class Ending(models.TextChoices):
        LIFTED = "lifted", "Removed"
        UNDONE = "undone", "Undone"
        EXPIRED = "expired", "Expired"
        REPLACED = "replaced", "Replaced"

    BY_HAND = (Ending.LIFTED, Ending.UNDONE)

    number = models.BigIntegerField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, blank=True, related_name="restrictions")
    key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, null=True, blank=True, related_name="restrictions")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="restrictions"
    )
    campaign = models.ForeignKey(
        Campaign,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="restrictions",
        help_text="Restricted as one of the accounts of this campaign.",
    )
    kind = models.CharField(max_length=LONGEST_KIND, choices=kind_choices)
    reason = models.CharField(max_length=32, choices=restricting_choices)
    terms_clause = models.CharField(max_length=120, blank=True)
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True, help_text="A limit of a throttle.")
    tokens_per_minute = models.PositiveBigIntegerField(null=True, blank=True, help_text="A limit of a throttle.")
    withheld = ArrayField(models.CharField(max_length=20, choices=Withheld), default=list, blank=True)
    starts_at = models.DateTimeField()
    starts_later = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether it was to start later than it was made. All others are in force once they are stored, "
        "whatever the clock says of those who ask.",
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    effective_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Until when access stays restricted under it: until it expires, or as long as what it replaced and "
        "is restored then.",
    )
    author = models.CharField(max_length=254)
    approver = models.CharField(max_length=254, blank=True, help_text="Who approved it, if approval was needed.")
    replaced_numbers = ArrayField(
        models.BigIntegerField(),
        default=list,
        blank=True,
        help_text="What would be in force, or begin, while this one is: it is again when this one expires or is "
        "undone. Several where some of them begin later.",
    )
    origin = models.CharField(
        max_length=255,
        help_text="The decision, request or policy outcome it was made for. Those of one campaign share it, and what "
        "is restored keeps it.",
    )
    unique_key = models.CharField(
        max_length=255, unique=True, help_text="One decision or one request is one restriction."
    )
    published_in_full_by = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="The change by which all names that it covers were published; none while some are being published.",
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=10, choices=Ending, blank=True)
    ended_by = models.CharField(max_length=254, blank=True)
    ending_note = models.CharField(max_length=500, blank=True)
    is_end_unpublished = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Whether gateways apply it still, though it has ended: until they have all accounts of what "
        "restricts its organisation now.",
    )
    superseded_by = models.CharField(
        max_length=255,
        blank=True,
        help_text="The origin of the decision that took its place. It is restored only where that one is undone.",
    )
    withdrawn_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When it was lifted or undone after being replaced: it is never restored.",
    )

    withdrawn_by = models.CharField(max_length=254, blank=True)
    withdrawal = models.CharField(max_length=10, choices=Ending, blank=True, help_text="Whether by lifting or undoing.")

    objects = RestrictionQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(account__isnull=False, key__isnull=True, organisation__isnull=True)
                | Q(account__isnull=True, key__isnull=False, organisation__isnull=True)
                | Q(account__isnull=True, key__isnull=True, organisation__isnull=False),
                name="restriction_has_one_target",
            ),
            # Others may be planned for later: that their times do not overlap is seen to under the lock.
            *(
                models.UniqueConstraint(
                    fields=[target, "kind", "starts_at"],
                    condition=Q(ended_at=None),
                    name=f"one_restriction_of_a_kind_{article}_{target}",
                )
                for article, target in (("an", "account"), ("a", "key"), ("an", "organisation"))
            ),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=models.F("starts_at")),
                name="restriction_expires_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(effective_until=None)
                | Q(effective_until__gte=models.F("expires_at"), expires_at__isnull=False),
                name="restriction_effective_until_it_expires",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ending="") | (Q(ended_at__isnull=False) & ~Q(ending="")),
                name="an_ended_restriction_says_how",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=[kind.value for kind in kinds_with(LIMITS)])
                | Q(requests_per_minute__isnull=False)
                | Q(tokens_per_minute__isnull=False),
                name="a_throttle_has_a_limit",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=[kind.value for kind in kinds_with(FEATURES)]) | ~Q(withheld=[]),
                name="what_is_withheld_is_named",
            ),
        ]
        permissions: ClassVar = [("lift_restriction", "Can lift restrictions")]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="restriction_by_expiry", condition=Q(ended_at=None)),
            models.Index(fields=["origin"], name="restriction_by_origin"),
            models.Index(
                fields=["organisation"],
                name="restriction_published_in_part",
                condition=Q(ended_at=None, published_in_full_by=None),
            ),
            models.Index(fields=["number"], name="restriction_end_unpublished", condition=Q(is_end_unpublished=True)),
            GinIndex(fields=["replaced_numbers"], name="restriction_by_replaced", fastupdate=False),
            models.Index(fields=["superseded_by"], name="restriction_by_superseder", condition=~Q(superseded_by="")),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.kind} of {self.target}"

    @property
    def target(self) -> Account | ApiKey | Organisation:
        """Whom it is against: exactly one of three, as the constraint restriction_has_one_target has it."""
        target = self.account or self.key or self.organisation
        assert target is not None  # noqa: S101
        return target

    @property
    def in_force_from(self) -> datetime:
        """From when it is in force by every clock: long before it was made, unless it was to start later."""
        return start_for_gateways(self.starts_at, starts_later=self.starts_later)

    def is_planned(self, *, at: datetime) -> bool:
        """Return True if it is to start after `at`."""
        return self.starts_later and self.starts_at > at

    def overlaps(self, start: datetime, end: datetime | None) -> bool:
        """Whether it is in force at some time from `start` until before `end`; None is for ever."""
        return (end is None or self.in_force_from < end) and (
            self.effective_until is None or self.effective_until > start
        )

    @property
    def denies(self) -> bool:
        """Whether gateways refuse access; of a kind that only a newer release knows, as that release published it."""
        if self.kind in STRENGTH:
            return self.kind in DENYING
        began = self.changes.filter(number=self.number).values_list("payload__denies", flat=True).first()
        return began is not False

    @property
    def is_restored(self) -> bool:
        """Whether it is in force again, by another number, since what had replaced it ended."""
        return self.unique_key.startswith(RESTORED)

    @property
    def terms(self) -> Terms:
        return Terms(
            kind=self.kind,
            reason=self.reason,
            until=self.expires_at,
            starts_at=self.starts_at if self.starts_later else None,
            terms_clause=self.terms_clause,
            requests_per_minute=self.requests_per_minute,
            tokens_per_minute=self.tokens_per_minute,
            withheld=tuple(self.withheld),
            approver=self.approver,
        )

    @classmethod
    def strength(cls, kind: str) -> int:
        """Return the place of a kind among all, the mildest first.

        One that only a newer release knows comes last, so that no policy of this release replaces it.
        """
        return STRENGTH.get(kind, len(STRENGTH))

    @classmethod
    def strength_case(cls) -> models.Case:
        """Return the same as an expression of the database."""
        places = [models.When(kind=kind, then=models.Value(place)) for kind, place in STRENGTH.items()]
        return models.Case(*places, default=models.Value(len(STRENGTH)), output_field=models.IntegerField())
